"""What an engine needs to go on guarding after a restart nobody attends: the day's tokens, in the kernel's memory.

Never a password, a PIN, an API secret or a seed. It ends with the tokens, at a reboot, and when they are revoked.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from optconsole.engine.clock import Clock
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.keyring import KernelNote
from optconsole.engine.store.vault import Vault

SIGNING: Final = "api_key"
"""Kite and Angel One want the app's key beside the token; alone it opens nothing."""


class _Token(msgspec.Struct, frozen=True, array_like=True):
    account: str
    name: str
    value: str
    expires: datetime

    def __repr__(self) -> str:
        return f"_Token({self.account}, {self.name})"


_DECODER: Final = msgspec.json.Decoder(list[_Token])


class Standby:
    """The note of one home."""

    def __init__(self, home: Path, clock: Clock, note: KernelNote | None = None) -> None:
        name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
        self._note = note or KernelNote(f"optconsole:{name}")
        self._clock = clock
        self._held: dict[tuple[str, str], _Token] | None = None

    def keep(self, vault: Vault) -> bool:
        """Note the tokens of an open vault. Whether the system took them; without tokens nothing stays."""
        now, found = self._clock.now(), list[_Token]()
        entries = vault.names()
        ends: dict[str, datetime] = {}
        for entry in entries:
            if entry.expires is not None and entry.expires > now:
                ends[entry.account] = min(entry.expires, ends.get(entry.account, entry.expires))
        for entry in entries:
            end = ends.get(entry.account)
            if end is None or (entry.expires is None and entry.name != SIGNING):
                continue
            secret = vault.get(entry.account, entry.name)
            if secret is not None:
                found.append(_Token(entry.account, entry.name, secret.reveal(), end))
        self._held = None
        if not found:
            self.clear()
            return True
        last = max(token.expires for token in found)
        return self._note.write(msgspec.json.encode(found), int((last - now).total_seconds()))

    def get(self, account: str, name: str) -> Secret | None:
        """A token an earlier life noted; None where there is none or it has expired."""
        if self._held is None:
            self._held = {(token.account, token.name): token for token in self._read()}
        token = self._held.get((account, name))
        return Secret(token.value) if token is not None and token.expires > self._clock.now() else None

    def clear(self) -> None:
        """Nothing outlives the process any more."""
        self._held = {}
        self._note.clear()

    def _read(self) -> list[_Token]:
        body = self._note.read()
        try:
            return _DECODER.decode(body) if body is not None else []
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []
