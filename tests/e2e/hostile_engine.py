"""``python -m tests.e2e.hostile_engine HOME``: an engine in which every text from outside is hostile and uncleaned."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from optconsole.engine import events as ev
from optconsole.engine.model.accounts import Account, Mode
from optconsole.engine.model.vitals import Vitals
from optconsole.link.address import socket_path
from optconsole.link.server import LinkServer
from tests.link.small_engine import CALL, PUT, START, SmallEngine
from tests.screens.hostile import CORPUS
from tests.screens.hostile_day import hostile_day

# a lone surrogate cannot be sent in JSON
TEXTS = tuple(text for text in CORPUS if "\ud800" not in text)
ACCOUNT = "[/]\x1b]0;acct\x07"


class HostileEngine(SmallEngine):
    """A small engine on a hostile day."""

    def __init__(self) -> None:
        super().__init__()
        self.record(
            ev.AccountOpened(account=Account(id=ACCOUNT, broker=TEXTS[0], mode=Mode.PAPER, capital=10_00_000_00))
        )
        for event in hostile_day(TEXTS, ACCOUNT, (CALL, PUT), START):
            self.record(event)
        self.instruments = (
            *self.instruments,
            *(msgspec.structs.replace(self.instruments[1], name=f"NIFTY {text[:200]}") for text in TEXTS),
        )

    def vitals(self) -> Vitals:
        plain = super().vitals()
        (broker,) = plain.brokers
        said = msgspec.structs.replace(broker, name=TEXTS[8][:30], note=TEXTS[1])
        return msgspec.structs.replace(plain, world=TEXTS[9], brokers=(said,))


async def serve(home: Path) -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    server = LinkServer(HostileEngine(), socket_path(home))
    await server.start()
    print("ready", flush=True)
    await ending.wait()
    await server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
