"""The passphrase over the link (reliability C08): yes or no comes back, and nothing of it stays anywhere."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from optconsole.engine.model.access import Access
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.link import wire
from optconsole.link.client import SocketLink
from optconsole.link.server import LinkServer
from tests.canaries import CANARIES
from tests.link.small_engine import SmallEngine

RIGHT = Secret(CANARIES["passphrase"])


@pytest.fixture
async def door(path: Path, engine: SmallEngine) -> AsyncIterator[LinkServer]:
    async def unlock(passphrase: Secret) -> bool:
        if passphrase == Secret("fail"):
            raise ValueError(passphrase.reveal())
        return passphrase == RIGHT

    server = LinkServer(engine, path, unlock=unlock)
    await server.start()
    yield server
    await server.close()


@pytest.mark.parametrize("access", [Access.ADMIN, Access.OPERATOR])
async def test_the_answer_is_yes_or_no(door: LinkServer, path: Path, access: Access) -> None:
    link = await SocketLink.connect(path, access)
    assert await link.unlock(RIGHT) is True
    assert await link.unlock(Secret("another")) is False
    await link.close()


async def test_an_observer_opens_nothing(door: LinkServer, path: Path) -> None:
    link = await SocketLink.connect(path, Access.OBSERVER)
    with pytest.raises(Refusal) as caught:
        await link.unlock(RIGHT)
    assert caught.value.code == "OBSERVER"
    await link.close()


async def test_an_engine_without_a_vault_says_so(server: LinkServer, path: Path) -> None:
    link = await SocketLink.connect(path)
    with pytest.raises(Refusal) as caught:
        await link.unlock(RIGHT)
    assert caught.value.code == "VAULT_NONE"
    await link.close()


async def test_nothing_of_the_passphrase_is_journalled_or_logged(
    door: LinkServer, path: Path, engine: SmallEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    facts = len(engine.journal)
    link = await SocketLink.connect(path)
    await link.unlock(RIGHT)
    with pytest.raises(Refusal) as caught:
        await link.unlock(Secret("fail"))
    assert caught.value.code == "ENGINE_FAULT"
    await link.close()
    assert len(engine.journal) == facts
    assert RIGHT.reveal() not in caplog.text


def test_the_message_shows_no_passphrase_however_it_is_shown() -> None:
    message = wire.Unlock(7, RIGHT.reveal())
    shown = f"{message} {message!r} {message.__rich_repr__()}"
    assert "rid=7" in shown
    assert "canary" not in shown
