"""Whom the adapter talks to: REST and both sockets refuse a server that cannot prove who it is."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from optconsole.brokers.angelone.gateway import open_gateway
from optconsole.brokers.angelone.settings import AngelSettings
from optconsole.brokers.rehearsal.server import RehearsalServer
from optconsole.brokers.rehearsal.wire import Response
from optconsole.engine.clock import MarketClock, seeded
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.vitals import LinkState
from optconsole.engine.ports import BrokerUnreachable
from tests.brokers.angelone.peer import BOOK, PLACE, PLACED, TICKS, UPDATES, Bench, success
from tests.brokers.angelone.stage import ACCOUNT, NOW, Notes, StageAlmanac, StageCredentials
from tests.brokers.rehearsal.stage import until
from tests.brokers.transport.certificates import Authority


async def served(bench: Bench, side: ssl.SSLContext) -> str:
    """The bench behind TLS; its address."""
    bench.server = RehearsalServer(bench.server.answer, bench.server.welcome, tls=side)
    await bench.server.start()
    return f"https://127.0.0.1:{bench.server.port}"


@pytest.mark.parametrize("wrong", ["", "self-signed", "wrong host", "expired"])
async def test_rest_and_both_sockets_talk_only_to_who_proves_to_be_it(tmp_path: Path, wrong: str) -> None:
    ours = Authority.fresh(tmp_path)
    signer = Authority.fresh(tmp_path, "stranger") if wrong == "self-signed" else ours
    host = "127.0.0.2" if wrong == "wrong host" else "127.0.0.1"
    side = signer.server(tmp_path, host, timedelta(days=-1) if wrong == "expired" else timedelta(days=1))
    bench = Bench()
    address = await served(bench, side)
    settings = AngelSettings(rest_url=address, budgets={}, deadline=2.0)
    gateway = open_gateway(
        ACCOUNT, settings, StageCredentials(), MarketClock(NOW), seeded(1), Notes(), StageAlmanac(), ours.roots
    )
    try:
        bench.tell(BOOK, success(None))
        bench.tell(PLACE, PLACED)
        await gateway.feed.start(lambda _quotes: None)
        if not wrong:
            await gateway.broker.connect(lambda _row: None)
            assert await gateway.broker.orders() == []
            await until(lambda: {each.path for each in bench.handshakes} == {TICKS, UPDATES})
            return
        with pytest.raises(BrokerUnreachable):
            await gateway.broker.orders()
        with pytest.raises(Refusal) as refused:
            await gateway.load_master(NOW.date())
        assert refused.value.code == "MASTER_UNREACHABLE"
        await until(lambda: bool(gateway.feed.why))
        assert gateway.feed.state is LinkState.STALE
        assert (bench.calls, bench.handshakes) == ([], [])
    finally:
        await gateway.close()
        await bench.server.close()


async def test_nobody_is_followed_anywhere_else() -> None:
    bench = Bench()
    await bench.server.start()
    settings = AngelSettings(rest_url=f"http://127.0.0.1:{bench.server.port}", budgets={}, deadline=2.0)
    gateway = open_gateway(ACCOUNT, settings, StageCredentials(), MarketClock(NOW), seeded(1), Notes(), StageAlmanac())
    try:
        bench.tell(BOOK, Response(302, b"", (("location", f"{settings.rest_url}{PLACE}"),)))
        with pytest.raises(BrokerUnreachable):
            await gateway.broker.orders()
        assert [call.path for call in bench.calls] == [BOOK]
    finally:
        await gateway.close()
        await bench.server.close()
