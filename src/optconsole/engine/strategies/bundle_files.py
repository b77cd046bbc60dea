"""Bundles on disk: a folder, a zip or one TOML file. Read in memory within bounds; nothing is unpacked or run."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
import tomlkit

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.engine.strategies.bundles import Bundle, checked, manifest_text, read_manifest

MANIFEST: Final = "bundle.toml"
BASKET: Final = "basket.toml"
LARGEST: Final = 1_000_000
"""Bytes of one file, and of a whole zip."""
_CODE: Final = frozenset(
    {".py", ".pyc", ".pyo", ".pyd", ".pyw", ".pth", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".cmd", ".ps1"}
    | {".js", ".jar", ".whl", ".egg", ".ipynb", ".pkl", ".pickle"}
)


def read_bundle(path: Path) -> Bundle:
    """The bundle at a path.

    Raises Refusal: NO_FILE, SYMLINK, NOT_A_FILE, TOO_LARGE, BAD_ZIP, ZIP_SLIP, DUPLICATE_FILE, CARRIES_CODE,
    STRANGE_FILE, MISSING_FILE, NOT_TEXT, and what ``bundles.checked`` raises.
    """
    if path.is_symlink():
        raise Refusal("SYMLINK", f"{path} is a link; name the bundle itself.")
    if path.is_dir():
        return _of_two(_folder(path))
    given = _bytes_of(path)
    if given.startswith(b"PK"):
        return _of_two(_zipped(given))
    manifest, text = read_manifest(_text(given, path.name))
    if text is None:
        raise Refusal("MISSING_FILE", f"{path.name} holds no basket; name the folder or the zip it is in.")
    return checked(manifest, text)


def write_bundle(bundle: Bundle, path: Path) -> None:
    """Write to a new ``.zip``, ``.toml`` or folder. Raises Refusal(FILE_THERE, NO_FILE)."""
    if path.exists() or path.is_symlink():
        raise Refusal("FILE_THERE", f"{path} is there already; name a new file.")
    try:
        if path.suffix == ".zip":
            path.write_bytes(_zip(bundle))
        elif path.suffix == ".toml":
            path.write_text(one_file(bundle), encoding="utf-8", newline="")
        else:
            path.mkdir()
            for name, text in _files(bundle).items():
                (path / name).write_text(text, encoding="utf-8", newline="")
    except OSError as failed:
        raise Refusal("NO_FILE", f"{path} cannot be written: {failed.strerror}.") from None


def one_file(bundle: Bundle) -> str:
    """The bundle as one TOML text."""
    return tomlkit.dumps({**msgspec.to_builtins(bundle.manifest), "basket": bundle.text})


def _files(bundle: Bundle) -> dict[str, str]:
    return {MANIFEST: manifest_text(bundle.manifest), BASKET: bundle.text}


def _zip(bundle: Bundle) -> bytes:
    """The same bundle gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _files(bundle).items():
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


# ---------------------------------------------------------------- reading


def _of_two(files: Mapping[str, Callable[[], bytes]]) -> Bundle:
    for name in (MANIFEST, BASKET):
        if name not in files:
            raise Refusal("MISSING_FILE", f"The bundle has no {name}.")
    manifest, inside = read_manifest(_text(files[MANIFEST](), MANIFEST))
    if inside is not None:
        raise Refusal("BAD_BUNDLE", f"{MANIFEST} holds a basket besides {BASKET}; which is meant?")
    return checked(manifest, _text(files[BASKET](), BASKET))


def _refuse_name(name: str) -> None:
    if PurePosixPath(name).suffix.lower() in _CODE:
        raise Refusal("CARRIES_CODE", f"It carries {display(name, 60)!r}; a bundle is data and holds no program.")
    if name not in (MANIFEST, BASKET):
        raise Refusal(
            "STRANGE_FILE", f"It carries {display(name, 60)!r}; a bundle holds {MANIFEST} and {BASKET} and no more."
        )


def _folder(path: Path) -> dict[str, Callable[[], bytes]]:
    found: dict[str, Callable[[], bytes]] = {}
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_symlink():
                raise Refusal("SYMLINK", f"{display(entry.name, 60)!r} in it is a link to somewhere else.")
            _refuse_name(entry.name)
            found[entry.name] = lambda file=path / entry.name: _bytes_of(file)  # type: ignore[misc]
    return found


def _bytes_of(path: Path) -> bytes:
    """A regular file's bytes. The check and the read are of one open file: it cannot be exchanged between them."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failed:
        if path.is_symlink():
            raise Refusal("SYMLINK", f"{path.name} is a link; name the file itself.") from None
        raise Refusal("NO_FILE", f"{path} cannot be read: {failed.strerror}.") from None
    with os.fdopen(handle, "rb") as file:
        seen = os.fstat(handle)
        if not stat.S_ISREG(seen.st_mode):
            raise Refusal("NOT_A_FILE", f"{path.name} is no ordinary file.")
        given = file.read(LARGEST + 1)
    if len(given) > LARGEST:
        raise Refusal("TOO_LARGE", f"{path.name} is larger than {LARGEST} bytes.")
    return given


def _zipped(given: bytes) -> dict[str, Callable[[], bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(given))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Refusal("BAD_ZIP", f"The zip cannot be read: {display(str(error), 80)}.") from None
    found: dict[str, Callable[[], bytes]] = {}
    for member in archive.infolist():
        _refuse_member(member)
        if member.filename in found:
            raise Refusal("DUPLICATE_FILE", f"The zip holds {member.filename} twice.")
        found[member.filename] = lambda each=member: _member(archive, each)  # type: ignore[misc]
    return found


def _refuse_member(member: zipfile.ZipInfo) -> None:
    # orig_filename: the name before this platform's separators were put in and a NUL cut it short
    name = member.orig_filename
    outside = name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name or "\0" in name
    if outside:
        raise Refusal("ZIP_SLIP", f"The zip names {display(name, 60)!r}, which lies outside of it.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Refusal("SYMLINK", f"{display(name, 60)!r} in the zip is a link to somewhere else.")
    _refuse_name(name)
    if member.file_size > LARGEST:
        raise Refusal("TOO_LARGE", f"{name} in the zip is larger than {LARGEST} bytes.")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One file out of a zip, no further than its bound, whatever size the zip gives it."""
    try:
        with archive.open(member) as file:
            given = file.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise Refusal("BAD_ZIP", f"{member.filename} in the zip cannot be read: {display(str(error), 80)}.") from None
    if len(given) > LARGEST:
        raise Refusal("TOO_LARGE", f"{member.filename} in the zip is larger than {LARGEST} bytes.")
    return given


def _text(given: bytes, name: str) -> str:
    try:
        return given.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("NOT_TEXT", f"{name} is no text in UTF-8.") from None
