"""Whom a connection trusts: verified certificates, TLS 1.2 at least, and nobody may say otherwise."""

from __future__ import annotations

import ssl
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from optconsole.engine.model.errors import Refusal

PLAIN = {"http": "https", "ws": "wss"}


def trust(roots: Path | None = None) -> ssl.SSLContext:
    """The public authorities, or only those in the PEM file ``roots``: a rehearsal signs for itself.

    Raises Refusal(BAD_ROOTS).
    """
    try:
        if roots is None:
            return _public()
        context = ssl.create_default_context(cafile=str(roots))
    except (OSError, ssl.SSLError) as error:
        raise Refusal("BAD_ROOTS", f"The certificates in {roots} cannot be read: {error}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@cache
def _public() -> ssl.SSLContext:
    """The public authorities, read once: a hundred of them take a twentieth of a second."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def loopback(host: str | None) -> bool:
    """Whether a host is this machine itself."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked(url: str) -> str:
    """The URL, if what it carries cannot be read on the way. Raises Refusal(PLAIN_TEXT | BAD_URL)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise Refusal("BAD_URL", "A broker's address in the configuration is not a URL; correct it.") from None
    if parts.scheme in ("https", "wss") and host:
        return url
    if parts.scheme not in PLAIN or not host:
        raise Refusal(
            "BAD_URL", f"{parts.scheme or 'no scheme'} is not how a broker is reached; write https:// or wss://."
        )
    if not loopback(host):
        raise Refusal(
            "PLAIN_TEXT",
            f"{parts.scheme}://{host} would send tokens in the clear; write {PLAIN[parts.scheme]}:// "
            "(only a rehearsal on this machine may do without).",
        )
    return url
