"""The vault as a running engine holds it: opened over the link, read again when the command line has changed it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from optconsole.engine.clock import Clock, WallClock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.queries import Check
from optconsole.engine.rules.pretrade import REFUSE
from optconsole.engine.store.credentials import VaultCredentials
from optconsole.engine.store.hardening import harden
from optconsole.engine.store.vault import Vault
from optconsole.runtime.standby import Standby

LOOK_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class Strongroom:
    """One vault and its door. Tokens die by the wall's clock, whatever market plays.

    The day's tokens outlive the process in ``standby``, so that an engine that was restarted guards what it finds
    before anybody comes; it enters nothing until the vault is open.
    """

    def __init__(
        self,
        home: Path,
        clock: Clock | None = None,
        vault: Vault | None = None,
        standby: Standby | None = None,
    ) -> None:
        self.clock = clock or WallClock()
        self.vault = vault or Vault(home, self.clock)
        self.standby = standby or Standby(home, self.clock)
        self._end = self.vault.subscribe(self._changed)
        self._serving = False
        self._watching: asyncio.Task[None] | None = None
        self._told: str | None = None
        self._one_at_a_time = asyncio.Lock()

    def credentials(self, account: str) -> VaultCredentials:
        """What the adapter of an account is given."""
        self._serving = True
        return VaultCredentials(self.vault, account, self.standby.get)

    def stops(self) -> tuple[Check, ...]:
        """What a locked vault has against new risk, where brokers are reached by it."""
        if self.vault.unlocked or not self._serving:
            return ()
        what = "is locked; open it: optconsole unlock" if self.vault.exists else "is not made: optconsole secrets init"
        text = f"Only orders that reduce a position may leave: the vault {what}."
        return (Check(code="VAULT_LOCKED", severity=REFUSE, text=text),)

    async def unlock(self, passphrase: Secret) -> bool:
        """Whether the vault is open by this passphrase. Why it is not stands in the log, never what was typed."""
        harden()
        async with self._one_at_a_time:
            try:
                # the guess costs most of a second: quotes and orders go on meanwhile
                self.vault.adopt(await asyncio.to_thread(self.vault.prove, passphrase))
            except Refusal as refusal:
                log.warning("the vault stays as it was: %s", refusal.code)
                return False
        if not self.standby.keep(self.vault):
            log.info("this system keeps no tokens over a restart: after one, guards wait for `optconsole unlock`")
        log.info("the vault was unlocked")
        return True

    def start(self) -> None:
        """Look for changes from now on, so that who subscribed hears of a new token without asking for it."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop looking and forget the keys; the day's tokens stay for the next engine."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        self._end()
        self.vault.lock()

    def _changed(self, _accounts: frozenset[str]) -> None:
        if self.vault.unlocked:
            self.standby.keep(self.vault)
        else:  # its file was taken away: nobody means its tokens to go on working
            self.standby.clear()

    async def _watch(self) -> None:
        while True:
            await self.clock.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Take over what changed; what cannot be taken over is logged once."""
        self.vault.refresh()
        trouble = self.vault.trouble.text if self.vault.trouble is not None else None
        if trouble != self._told:
            self._told = trouble
            if trouble is not None:
                log.warning("the vault: %s", trouble)
