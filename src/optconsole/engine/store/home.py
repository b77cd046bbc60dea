"""The folder of all state: private to its owner, writable, and on a disk whose locks can be trusted."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from optconsole.engine.model.errors import Refusal

MOUNTS: Final = Path("/proc/self/mounts")
NETWORK: Final = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "smb3",
        "smbfs",
    }
)
"""File systems whose locks or syncs other machines may not see; by the kernel's names of them."""
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def prepare_home(home: Path, mounts: Path = MOUNTS) -> None:
    """Make the folder, or check one that exists, and leave it at mode 0700. Sets the process's umask to 077.

    Raises Refusal: HOME_UNSAFE with the command that mends it, HOME_NOT_WRITABLE, HOME_ON_NETWORK.
    """
    os.umask(0o077)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = home.lstat()
    except OSError as error:
        raise not_writable(home, error) from None
    _require_owned(home, found)
    _require_safe_parent(home.parent)
    kind = file_system(home, mounts)
    if kind in NETWORK:
        raise Refusal(
            "HOME_ON_NETWORK",
            f"The home {home} is on a network file system ({kind}), where locks do not hold; choose a local folder.",
        )
    # others could read but never write: what is in it can be trusted, and from now on it is private
    os.chmod(home, 0o700)
    if not os.access(home, os.W_OK | os.X_OK):
        raise not_writable(home, PermissionError(13, "Permission denied"))


def _require_owned(home: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise Refusal("HOME_UNSAFE", f"The home {home} is a symbolic link; use {home.resolve()} itself.")
    if found.st_uid != os.geteuid():
        raise Refusal(
            "HOME_UNSAFE",
            f"The home {home} belongs to user {found.st_uid} and you are {os.geteuid()}; "
            f"run: chown -R {os.geteuid()} {home}",
        )
    if found.st_mode & OTHERS_WRITE:
        raise Refusal("HOME_UNSAFE", f"Other users can write to the home {home}; run: chmod 700 {home}")


def _require_safe_parent(parent: Path) -> None:
    """Who may rename the home may replace it; the sticky bit, as on /tmp, forbids that."""
    mode = parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise Refusal("HOME_UNSAFE", f"Anyone can replace folders in {parent}; run: chmod o-w {parent}")


def not_writable(home: Path, error: OSError) -> Refusal:
    """The folder cannot hold anything."""
    return Refusal(
        "HOME_NOT_WRITABLE",
        f"The home {home} cannot be written ({error.strerror}); choose another with --home or OPTCONSOLE_HOME.",
    )


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The kernel's name of the file system that holds ``path``; empty where the system does not tell."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    place = path.resolve()
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # a later line for the same place is mounted on top of the earlier one
        if place.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def _unescaped(point: str) -> str:
    for code, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, plain)
    return point
