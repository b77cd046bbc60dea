"""Published baskets: a basket's text with a manifest that its publisher has signed (Ed25519). All of it is data."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import tomllib
from typing import Any, Final

import msgspec
import tomlkit
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from optconsole.engine.model.baskets import Basket
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.strategies.files import write_basket
from optconsole.engine.strategies.linting import check_text

FORMAT: Final = 1
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_VERSION: Final = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})", re.ASCII)
_MOST_AUTHOR: Final = 80
_MOST_NOTES: Final = 4_000


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a publisher says of a basket's text. ``key`` and ``signature`` are base64, the hashes hexadecimal.

    ``fingerprint`` is the SHA-256 of the public key: what a trader compares before trusting it.
    """

    bundle: int
    name: str
    version: str
    author: str
    notes: str
    sha256: str
    key: str
    fingerprint: str
    signature: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle whose signature holds: the manifest, the basket's text as signed, and the basket in it."""

    manifest: Manifest
    text: str
    basket: Basket

    @property
    def source(self) -> str:
        """How a basket in the book names where it came from."""
        return f"{self.manifest.name}@{self.manifest.fingerprint[:16]}"

    @property
    def plugins(self) -> tuple[str, ...]:
        """Registered strategies that it needs; none comes with it."""
        return tuple(sorted({each.plugin for each in self.basket.strategies if each.plugin}))


def numbers(version: str) -> tuple[int, ...]:
    """``1.10.0`` as numbers that compare. Raises Refusal(BAD_VERSION)."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise Refusal("BAD_VERSION", f"{display(version, 30)!r} is no version; write three numbers such as 1.0.0.")
    return tuple(int(part) for part in found.groups())


def fingerprint_of(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key in hexadecimal."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def publish(
    basket: Basket, key: Ed25519PrivateKey, *, name: str, version: str, author: str = "", notes: str = ""
) -> Bundle:
    """The signed bundle of a basket. Whose accounts run it, and how large, stays with the publisher.

    Raises Refusal: BAD_NAME, BAD_VERSION, BAD_BUNDLE, CARRIES_ACCOUNTS for a leg that names an account.
    """
    bare = msgspec.structs.replace(basket, allocations=(), capital=None, max_loss=None)
    text, public = write_basket(bare), key.public_key()
    unsigned = Manifest(
        bundle=FORMAT,
        name=name,
        version=version,
        author=author,
        notes=notes,
        sha256=_hash(text),
        key=base64.b64encode(public.public_bytes_raw()).decode(),
        fingerprint=fingerprint_of(public),
        signature="",
    )
    signature = base64.b64encode(key.sign(_signed(unsigned))).decode()
    return checked(msgspec.structs.replace(unsigned, signature=signature), text)


def manifest_text(manifest: Manifest) -> str:
    """The manifest as TOML."""
    return tomlkit.dumps(msgspec.to_builtins(manifest))


def read_manifest(text: str) -> tuple[Manifest, str | None]:
    """A manifest's TOML, and the basket's text where it is inside. Raises Refusal(BAD_BUNDLE)."""
    try:
        table: dict[str, Any] = tomllib.loads(text)
        basket = table.pop("basket", None)
        if basket is not None and not isinstance(basket, str):
            raise Refusal("BAD_BUNDLE", "The bundle's basket is no text.")
        return msgspec.convert(table, Manifest, strict=True), basket
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise Refusal("BAD_BUNDLE", f"This is no bundle: {display(str(error), 200)}.") from None


def checked(manifest: Manifest, text: str) -> Bundle:
    """The bundle, once everything about it holds.

    Raises Refusal: BAD_BUNDLE, BAD_NAME, BAD_VERSION, TAMPERED where the text or the key is not the one that is named,
    BAD_SIGNATURE, BAD_BASKET, CARRIES_ACCOUNTS.
    """
    _refuse_shape(manifest)
    if _hash(text) != manifest.sha256:
        raise Refusal("TAMPERED", "The basket is not the one that the manifest was made for; get the bundle anew.")
    key = _key(manifest)
    if fingerprint_of(key) != manifest.fingerprint:
        raise Refusal("TAMPERED", "The fingerprint is not that of the key; get the bundle anew.")
    try:
        key.verify(_bytes(manifest.signature), _signed(manifest))
    except InvalidSignature:
        raise Refusal("BAD_SIGNATURE", "The signature does not hold; get the bundle anew.") from None
    found = check_text(text)
    if found.basket is None or not found.sound:
        raise Refusal("BAD_BASKET", f"The basket in it cannot be used: {found.faults[0]}")
    _refuse_accounts(found.basket)
    return Bundle(manifest=manifest, text=text, basket=found.basket)


def _refuse_shape(manifest: Manifest) -> None:
    if manifest.bundle != FORMAT:
        raise Refusal("BAD_BUNDLE", f"The bundle is of format {manifest.bundle}; this program reads {FORMAT}.")
    if not NAME.fullmatch(manifest.name):
        raise Refusal(
            "BAD_NAME", f"{display(manifest.name, 40)!r} is no name of a bundle; use up to 40 of a-z, 0-9 and -."
        )
    numbers(manifest.version)
    if len(manifest.author) > _MOST_AUTHOR or len(manifest.notes) > _MOST_NOTES:
        raise Refusal("BAD_BUNDLE", f"An author has up to {_MOST_AUTHOR} characters, notes up to {_MOST_NOTES}.")


def _refuse_accounts(basket: Basket) -> None:
    routed = any(leg.account for strategy in basket.strategies for leg in strategy.legs)
    if basket.allocations or routed or basket.capital is not None or basket.max_loss is not None:
        raise Refusal(
            "CARRIES_ACCOUNTS", "It says on whose account and how large it is to run; that is yours alone to say."
        )


def _signed(manifest: Manifest) -> bytes:
    """What the signature is over: everything that the manifest says."""
    said = msgspec.to_builtins(manifest)
    del said["signature"]
    return b"optconsole bundle\n" + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal("BAD_BUNDLE", "The key or the signature of the bundle is no base64.") from None


def _key(manifest: Manifest) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_bytes(manifest.key))
    except ValueError:
        raise Refusal("BAD_BUNDLE", "The key of the bundle is no Ed25519 public key.") from None
