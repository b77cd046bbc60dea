"""The home is private, writable and local, or one sentence says what to do."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.home import file_system, prepare_home
from tests.engine.store.conftest import ENVIRONMENT

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away and become another user")


@pytest.fixture(autouse=True)
def umask_kept() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_private_and_so_is_all_that_follows(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    prepare_home(home)
    assert mode(home) == 0o700
    (home / "file").touch()
    (home / "folder").mkdir()
    assert mode(home / "file") == 0o600
    assert mode(home / "folder") == 0o700


@pytest.mark.parametrize("bits", [0o700, 0o750, 0o755, 0o711, 0o705])
def test_a_home_others_could_only_read_is_made_private(tmp_path: Path, bits: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(bits)
    prepare_home(home)
    assert mode(home) == 0o700


@pytest.mark.parametrize("bits", [0o770, 0o720, 0o775, 0o702, 0o777, 0o1777])
def test_a_home_others_could_write_is_refused_with_the_command_that_mends_it(tmp_path: Path, bits: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(bits)
    with pytest.raises(Refusal) as refused:
        prepare_home(home)
    assert refused.value.code == "HOME_UNSAFE"
    command = refused.value.text.split("run: ")[1]
    subprocess.run(command.split(), check=True)
    prepare_home(home)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "home").symlink_to(tmp_path / "real")
    with pytest.raises(Refusal) as refused:
        prepare_home(tmp_path / "home")
    assert refused.value.code == "HOME_UNSAFE"
    assert str(tmp_path / "real") in refused.value.text


@AS_ROOT
def test_a_home_of_another_user_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 12345, 12345)
    with pytest.raises(Refusal) as refused:
        prepare_home(home)
    assert refused.value.code == "HOME_UNSAFE"
    assert "chown" in refused.value.text


def test_a_parent_that_lets_anyone_swap_the_home_is_refused(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    (parent / "home").mkdir(parents=True, mode=0o700)
    parent.chmod(0o777)
    with pytest.raises(Refusal) as refused:
        prepare_home(parent / "home")
    assert refused.value.code == "HOME_UNSAFE"
    parent.chmod(0o1777)
    prepare_home(parent / "home")


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    for home in (tmp_path / "home", tmp_path / "home" / "below"):
        with pytest.raises(Refusal) as refused:
            prepare_home(home)
        assert refused.value.code == "HOME_NOT_WRITABLE"
        assert "--home" in refused.value.text


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system nobody can write: /proc")
def test_a_place_nobody_can_write_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        prepare_home(Path("/proc/home"))
    assert refused.value.code == "HOME_NOT_WRITABLE"


@AS_ROOT
def test_another_user_can_open_nothing_below_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    prepare_home(home)
    (home / "journal.db").write_text("x")
    script = (
        "import os, sys\nos.setgid(12345)\nos.setuid(12345)\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        os.scandir(path) if os.path.isdir(path) else open(path)\n        print('open', path)\n"
        "    except PermissionError:\n        pass\n"
    )
    command = [sys.executable, "-c", script, str(home), str(home / "journal.db")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("kind", "refused"), [("ext4", False), ("tmpfs", False), ("nfs4", True), ("cifs", True), ("fuse.sshfs", True)]
)
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str, refused: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/x / ext4 rw 0 0\nserver:/x {tmp_path}/net\\040share {kind} rw 0 0\n")
    home = tmp_path / "net share" / "home"
    if refused:
        with pytest.raises(Refusal) as said:
            prepare_home(home, mounts)
        assert said.value.code == "HOME_ON_NETWORK"
        assert kind in said.value.text
    else:
        prepare_home(home, mounts)


def test_the_innermost_and_newest_mount_decides(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    inner = tmp_path / "a"
    mounts.write_text(f"x / ext4\nx {inner} nfs\nx {tmp_path} xfs\nx {inner} tmpfs\nx {inner}b nfs\nbroken\n")
    assert file_system(inner / "home", mounts) == "tmpfs"
    assert file_system(tmp_path / "c", mounts) == "xfs"
    assert file_system(Path("/"), mounts) == "ext4"
    assert file_system(Path("/"), tmp_path / "absent") == ""
