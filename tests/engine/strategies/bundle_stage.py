"""Bundles for tests: a publisher, a basket, and ways to spoil what they make."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from optconsole.engine.model.baskets import Basket
from optconsole.engine.strategies.bundles import Bundle, manifest_text, publish
from optconsole.engine.strategies.files import read_basket

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TEXT = """
format = 1
[basket]
name = "straddle"
[[strategy]]
name = "morning"
underlying = "NIFTY"
entry = "09:20"
exit = "15:15"
{more}
[[strategy.leg]]
id = "ce"
side = "sell"
right = "CE"
stop = "25%"
[[strategy.leg]]
id = "pe"
side = "sell"
right = "PE"
stop = "25%"
"""


def basket(text: str = TEXT, more: str = "") -> Basket:
    found, faults = read_basket(text.replace("{more}", more))
    assert found is not None, faults
    return found


def bundle(version: str = "1.0.0", key: Ed25519PrivateKey = KEY, what: Basket | None = None, **more: str) -> Bundle:
    return publish(what or basket(), key, name=more.pop("name", "short-straddle"), version=version, **more)


def folder(path: Path, made: Bundle) -> Path:
    path.mkdir()
    (path / "bundle.toml").write_text(manifest_text(made.manifest))
    (path / "basket.toml").write_text(made.text)
    return path


def zipped(path: Path, made: Bundle, **members: str) -> Path:
    """A zip with these members besides."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bundle.toml", manifest_text(made.manifest))
        archive.writestr("basket.toml", made.text)
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def linked(path: Path, made: Bundle) -> Path:
    """A zip whose basket is a symbolic link."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bundle.toml", manifest_text(made.manifest))
        member = zipfile.ZipInfo("basket.toml")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return path
