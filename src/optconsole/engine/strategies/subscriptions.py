"""The publishers that a home trusts, and the bundles taken from them. Files below ``market`` in the home."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.bundle_files import one_file, read_bundle
from optconsole.engine.strategies.bundles import NAME, Bundle, numbers

FOLDER: Final = "market"
_LIST: Final = "subscriptions.json"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle's name, bound to the key it was first trusted with.

    ``versions`` are the hashes of the texts by version; ``newest`` is the highest ever seen, below which nothing comes
    in any more. ``pin`` and ``basket`` are what was last saved of it in the engine.
    """

    name: str
    key: str
    fingerprint: str
    author: str
    newest: str
    versions: dict[str, str]
    pin: str = ""
    basket: str = ""


class Subscriptions:
    """The subscriptions of a home, read when opened and written at each change."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._known = self._read()

    def all(self) -> list[Subscription]:
        """By name."""
        return [self._known[name] for name in sorted(self._known)]

    def of(self, name: str) -> Subscription:
        """The subscription of that name. Raises Refusal(NOT_SUBSCRIBED)."""
        found = self._known.get(name)
        if found is None:
            known = ", ".join(sorted(self._known)) or "none"
            raise Refusal("NOT_SUBSCRIBED", f"No bundle called {name!r} is subscribed to; there are: {known}.")
        return found

    def subscribe(self, bundle: Bundle, trusted: str) -> Subscription:
        """Trust a publisher's key for a name from now on. ``trusted`` is the fingerprint that the trader compared.

        Raises Refusal: UNTRUSTED with the fingerprint, SUBSCRIBED, OTHER_KEY.
        """
        manifest = bundle.manifest
        known = self._known.get(manifest.name)
        if known is not None and known.fingerprint != manifest.fingerprint:
            raise _other_key(bundle, known)
        if known is not None:
            raise Refusal("SUBSCRIBED", f"{manifest.name} is subscribed to; `market update` takes a newer version in.")
        if _plain(trusted) != manifest.fingerprint:
            said = "Another fingerprint was given: its" if trusted else "Its"
            raise Refusal(
                "UNTRUSTED",
                f"{said} publisher's key has the fingerprint {manifest.fingerprint}. Compare it with the one the "
                "publisher gives elsewhere, then say --trust with it.",
            )
        taken = Subscription(
            name=manifest.name,
            key=manifest.key,
            fingerprint=manifest.fingerprint,
            author=manifest.author,
            newest=manifest.version,
            versions={manifest.version: manifest.sha256},
        )
        self._keep(bundle, taken)
        return taken

    def newer(self, name: str, bundle: Bundle) -> Subscription:
        """The subscription, where the bundle may follow what is known of it.

        Raises Refusal: NOT_SUBSCRIBED, OTHER_BUNDLE, OTHER_KEY, DOWNGRADE, VERSION_REUSED.
        """
        known, manifest = self.of(name), bundle.manifest
        if manifest.name != name:
            raise Refusal("OTHER_BUNDLE", f"This is a bundle of {manifest.name}, not of {name}.")
        if manifest.fingerprint != known.fingerprint or manifest.key != known.key:
            raise _other_key(bundle, known)
        if known.versions.get(manifest.version, manifest.sha256) != manifest.sha256:
            raise Refusal(
                "VERSION_REUSED",
                f"Version {manifest.version} of {name} is known with another text; leave this one.",
            )
        if numbers(manifest.version) < numbers(known.newest):
            raise Refusal(
                "DOWNGRADE",
                f"Version {manifest.version} is older than {known.newest}, which was seen already.",
            )
        return known

    def take(self, name: str, bundle: Bundle) -> Subscription:
        """Take a newer version in. Raises as ``newer``."""
        known, manifest = self.newer(name, bundle), bundle.manifest
        versions = {**known.versions, manifest.version: manifest.sha256}
        taken = msgspec.structs.replace(known, newest=manifest.version, versions=versions, author=manifest.author)
        self._keep(bundle, taken)
        return taken

    def bundle(self, name: str, version: str) -> Bundle:
        """A version that was taken in, checked anew. Raises Refusal: NO_VERSION, TAMPERED."""
        known = self.of(name)
        if version not in known.versions:
            raise Refusal("NO_VERSION", f"{name} has the versions {', '.join(known.versions)}, not {version[:20]!r}.")
        found = read_bundle(self._file(name, version))
        if (found.manifest.fingerprint, found.manifest.sha256) != (known.fingerprint, known.versions[version]):
            raise Refusal("TAMPERED", f"The copy of {name} {version} in the home was changed; subscribe to it anew.")
        return found

    def pinned(self, name: str, version: str, basket: str) -> None:
        """Note what was saved in the engine."""
        self._known[name] = msgspec.structs.replace(self.of(name), pin=version, basket=basket)
        self._write()

    def drop(self, name: str) -> None:
        """Forget a publisher's key and its bundles. Raises Refusal(NOT_SUBSCRIBED)."""
        self.of(name)
        del self._known[name]
        self._write()
        shutil.rmtree(self._folder / name, ignore_errors=True)

    # ------------------------------------------------------------ files

    def _file(self, name: str, version: str) -> Path:
        assert NAME.fullmatch(name)  # names and versions were checked when the bundle was: they are no paths
        numbers(version)
        return self._folder / name / f"{version}.toml"

    def _keep(self, bundle: Bundle, taken: Subscription) -> None:
        file = self._file(taken.name, bundle.manifest.version)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(file, one_file(bundle).encode())
        self._known[taken.name] = taken
        self._write()

    def _read(self) -> dict[str, Subscription]:
        path = self._folder / _LIST
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Subscription])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise Refusal("MARKET_BROKEN", f"{path} cannot be read: {error}; move it away.") from None

    def _write(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(self._folder / _LIST, msgspec.json.format(msgspec.json.encode(self._known), indent=1))


def _other_key(bundle: Bundle, known: Subscription) -> Refusal:
    return Refusal(
        "OTHER_KEY",
        f"{bundle.manifest.name} is signed by the key {bundle.manifest.fingerprint}, but you trust {known.fingerprint} "
        "for it. Unless its publisher says elsewhere that the key has changed, this is somebody else's.",
    )


def _plain(fingerprint: str) -> str:
    """A fingerprint as typed: colons, spaces and capitals mean nothing."""
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _replace(path: Path, content: bytes) -> None:
    """Write whole or not at all, for the owner alone."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    draft.replace(path)
