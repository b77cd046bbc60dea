"""The socket file: for this user only, and replaced only when it is provably dead."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from optconsole import __version__
from optconsole.engine.model.errors import Refusal
from optconsole.link import client, wire
from optconsole.link.address import knock, listen, socket_path
from optconsole.link.client import SocketLink
from optconsole.link.server import LinkServer
from tests.link.small_engine import SmallEngine


async def test_the_socket_is_for_its_owner_only(server: LinkServer, path: Path) -> None:
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


async def test_a_knock_is_heard_where_an_engine_listens_and_leaves_it_whole(server: LinkServer, path: Path) -> None:
    knock(path)
    link = await SocketLink.connect(path)
    await link.ping()
    await link.close()


def test_a_knock_where_nobody_listens_is_one_refusal(path: Path) -> None:
    with pytest.raises(Refusal) as none:
        knock(path)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with pytest.raises(Refusal) as deaf:
        knock(path)
    assert none.value.code == deaf.value.code == "NO_ENGINE"


async def test_the_socket_is_gone_after_a_good_end(engine: SmallEngine, path: Path) -> None:
    server = LinkServer(engine, path)
    await server.start()
    await server.close()
    assert os.listdir(path.parent) == []


async def test_closing_leaves_a_successors_socket_alone(engine: SmallEngine, path: Path) -> None:
    first, second = LinkServer(engine, path), LinkServer(engine, path)
    await first.start()
    os.unlink(path)
    await second.start()
    await first.close()
    link = await SocketLink.connect(path)
    await link.close()
    await second.close()


async def test_a_dead_socket_is_replaced(engine: SmallEngine, path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    server = LinkServer(engine, path)
    await server.start()
    link = await SocketLink.connect(path)
    await link.ping()
    await link.close()
    await server.close()


async def test_a_living_engine_is_never_pushed_aside(server: LinkServer, path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        listen(path)
    assert caught.value.code == "ENGINE_RUNNING"
    assert str(path.parent) in caught.value.text
    link = await SocketLink.connect(path)
    await link.ping()
    await link.close()


def test_a_file_in_the_way_is_left_alone(path: Path) -> None:
    path.write_text("notes")
    with pytest.raises(Refusal) as caught:
        listen(path)
    assert caught.value.code == "SOCKET_IN_THE_WAY"
    assert path.read_text() == "notes"


async def test_a_home_with_a_very_long_name_works(engine: SmallEngine, tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30) / ("longer" * 10)
    home.mkdir(parents=True)
    server = LinkServer(engine, socket_path(home))
    await server.start()
    link = await SocketLink.connect(socket_path(home))
    await link.ping()
    with pytest.raises(Refusal) as caught:
        listen(socket_path(home))
    assert caught.value.code == "ENGINE_RUNNING"
    await link.close()
    await server.close()


async def test_no_engine_is_said_with_what_to_do(path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "NO_ENGINE"
    assert caught.value.text == f"No engine runs on {path.parent}; start one with `optconsole engine`."


async def test_a_dead_socket_is_no_engine(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "NO_ENGINE"


async def test_an_engine_that_does_not_answer_is_told_apart_from_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = listen(path)
    monkeypatch.setattr(client, "GREETING_SECONDS", 0.05)
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "ENGINE_SILENT"
    stopped.close()


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@needs_root
async def test_another_users_socket_is_refused_before_it_is_used(engine: SmallEngine, path: Path) -> None:
    server = LinkServer(engine, path)
    await server.start()
    os.chown(path, 65534, 65534)
    with pytest.raises(Refusal) as caught:
        await SocketLink.connect(path)
    assert caught.value.code == "FOREIGN_SOCKET"
    await server.close()


STRANGER = """
import os, socket, sys
os.setuid(65534)
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
peer.sendall(bytes.fromhex(sys.argv[2]))
sys.stdout.buffer.write(peer.makefile("rb").read())
"""


@needs_root
async def test_another_user_who_gets_through_the_files_mode_is_refused_by_the_engine(engine: SmallEngine) -> None:
    home = Path(tempfile.mkdtemp())
    try:
        os.chmod(home, 0o755)
        path = socket_path(home)
        server = LinkServer(engine, path)
        await server.start()
        os.chmod(path, 0o666)
        hello = wire.frame(wire.Hello(wire.PROTOCOL, __version__)).hex()
        stranger = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STRANGER, str(path), hello, stdout=subprocess.PIPE
        )
        out, _ = await stranger.communicate()
        assert b"FOREIGN_SOCKET" in out
        assert b"belongs to another user" in out
        await server.close()
    finally:
        shutil.rmtree(home)
