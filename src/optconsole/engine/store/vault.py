"""The vault: every secret of every account, sealed under one passphrase in one file of the home.

The engine may hold it open for days while the command line changes it: values are looked up at every use, and a file
that was replaced is read again. What does not verify changes nothing: the values that did stay in use, and ``trouble``
says why the newer ones are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from optconsole.engine.clock import Clock, fresh_bytes
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store import vault_file
from optconsole.engine.store.passphrase import require_strong, wipe
from optconsole.engine.store.sealing import SALT, Cost, Unsealable, calibrated, derive, fresh_key, unwrap, wrap
from optconsole.engine.store.tries import Lockout
from optconsole.engine.store.vault_entries import Entry, require_storable
from optconsole.engine.store.vault_file import Document, damaged
from optconsole.engine.store.vault_rows import Opened, empty, wrapping_place

Listener = Callable[[frozenset[str]], None]


class Vault:
    """The vault of a home, locked until ``unlock``. ``clock`` is the wall's: tokens die by it, whatever plays."""

    def __init__(self, home: Path, clock: Clock, cost: Callable[[], Cost] = calibrated) -> None:
        self.path = home / vault_file.FILE
        self.trouble: Refusal | None = None
        self.lockout = Lockout(home, clock)
        self._clock = clock
        self._cost = cost
        self._opened: Opened | None = None
        self._looked: vault_file.Stamp | None = None
        self._listeners: list[Listener] = []

    @property
    def exists(self) -> bool:
        return vault_file.stamp(self.path) is not None

    @property
    def unlocked(self) -> bool:
        return self._opened is not None

    def create(self, passphrase: Secret) -> None:
        """Make the vault and leave it open. Raises Refusal(VAULT_EXISTS | VAULT_WEAK | VAULT_NOT_WRITTEN)."""
        require_strong(passphrase)
        with vault_file.alone(self.path):
            self.require_none()
            name, key = fresh_bytes(SALT), fresh_key()
            salt, cost, wrapped = self._wrapped(name, key, passphrase)
            document = empty(name, salt, cost, wrapped, key)
            self.lockout.succeed()
            self._adopt(Opened(document, vault_file.write(self.path, document), key, self.path))

    def require_none(self) -> None:
        """Raises Refusal(VAULT_EXISTS)."""
        if self.exists:
            raise Refusal("VAULT_EXISTS", f"{self.path} exists; change its passphrase: optconsole secrets rotate")

    def unlock(self, passphrase: Secret) -> None:
        """Open it. Raises Refusal(VAULT_NONE | VAULT_WRONG | VAULT_LOCKOUT | VAULT_TAMPERED | VAULT_UNSAFE)."""
        self.adopt(self.prove(passphrase))

    def prove(self, passphrase: Secret) -> Opened:
        """The slow part of ``unlock``, which may be done in another thread: changes nothing here. Raises as it does."""
        with vault_file.alone(self.path):
            document, stamp = vault_file.read(self.path)
            self.lockout.begin()
            under = derive(passphrase, document.salt, document.cost)
            try:
                key = unwrap(document.wrapped, under, wrapping_place(document.id, document.salt, document.cost))
            except Unsealable:
                raise Refusal("VAULT_WRONG", f"This is not the passphrase of {self.path}.") from None
            finally:
                wipe(under)
            self.lockout.succeed()
            return Opened(document, stamp, key, self.path)

    def adopt(self, opened: Opened) -> None:
        """The quick part of ``unlock``. Raises Refusal(VAULT_TAMPERED) for an older vault than the one held."""
        self._require_no_older(opened.document)
        self._adopt(opened)

    def lock(self) -> None:
        """Forget the keys."""
        before, self._opened = self._opened, None
        if before is not None:
            self._tell(before.accounts())
            before.wipe()

    def get(self, account: str, name: str) -> Secret | None:
        """The current value; None where there is none or it has expired. Raises Refusal(VAULT_LOCKED)."""
        self.refresh()
        opened = self._open()
        row = opened.row(account, name)
        if row is None or (row.expires is not None and row.expires <= self._clock.now()):
            return None
        return opened.value(row)

    def put(self, account: str, values: Mapping[str, Secret], expires: datetime | None = None) -> None:
        """Store secrets of one account, all or none, dead at ``expires``.

        Raises Refusal(VAULT_LOCKED | VAULT_NAME | VAULT_VALUE | VAULT_TAMPERED | VAULT_NOT_WRITTEN).
        """
        for name, value in values.items():
            require_storable(account, name, value)
        with vault_file.alone(self.path):
            opened = self._current()
            rows = {(row.account, row.name): row for row in opened.document.rows}
            for name, value in values.items():
                rows[account, name] = opened.sealed(account, name, value, self._clock.now(), expires)
            self._write(opened.with_rows(rows.values()), opened)

    def forget(self, account: str, *names: str) -> tuple[str, ...]:
        """Take secrets of an account away, all of them where none is named; which there were. Raises Refusal."""
        with vault_file.alone(self.path):
            opened = self._current()
            gone = [row for row in opened.document.rows if row.account == account and (not names or row.name in names)]
            if gone:
                self._write(opened.with_rows(row for row in opened.document.rows if row not in gone), opened)
            return tuple(row.name for row in gone)

    def names(self) -> tuple[Entry, ...]:
        """What is stored, never the values. A locked vault tells it too, unverified. Raises Refusal(VAULT_NONE …)."""
        self.refresh()
        document = self._opened.document if self._opened is not None else vault_file.read(self.path)[0]
        return tuple(
            Entry(account=row.account, name=row.name, version=row.version, written=row.written, expires=row.expires)
            for row in document.rows
        )

    def rotate(self, passphrase: Secret) -> None:
        """Another passphrase and another key: an older copy's are good for nothing that is written from now on.

        Raises Refusal(VAULT_LOCKED | VAULT_WEAK | VAULT_TAMPERED | VAULT_NOT_WRITTEN).
        """
        require_strong(passphrase)
        with vault_file.alone(self.path):
            opened = self._current()
            key = fresh_key()
            salt, cost, wrapped = self._wrapped(opened.document.id, key, passphrase)
            document = opened.rekeyed(key, salt, cost, wrapped)
            self._adopt(Opened(document, vault_file.write(self.path, document), key, self.path))

    def refresh(self) -> None:
        """Take over what another process wrote; cheap where nothing did. Never raises: see ``trouble``."""
        held = self._opened
        if held is None:
            return
        now = vault_file.stamp(self.path)
        if now is None:
            self.trouble = Refusal("VAULT_NONE", f"{self.path} was taken away; put it back and unlock again.")
            self.lock()
        elif now not in (held.stamp, self._looked):
            self._looked = now
            try:
                self._adopt(self._reread(held))
            except Refusal as refusal:
                self.trouble = refusal

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` the accounts of which something changed; call what is returned to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # ------------------------------------------------------------ inside

    def _open(self) -> Opened:
        if self._opened is None:
            raise Refusal("VAULT_LOCKED", "The vault is locked; unlock it: optconsole unlock")
        return self._opened

    def _current(self) -> Opened:
        """What the file holds now, verified. Raises Refusal."""
        held = self._open()
        if vault_file.stamp(self.path) != held.stamp:
            self._adopt(self._reread(held))
        return self._open()

    def _reread(self, held: Opened) -> Opened:
        document, stamp = vault_file.read(self.path)
        if (document.id, document.wrapped) != (held.document.id, held.document.wrapped):
            raise Refusal("VAULT_LOCKED", f"{self.path} has another passphrase now; unlock it again: optconsole unlock")
        self._require_no_older(document)
        return Opened(document, stamp, bytearray(held.key), self.path)

    def _require_no_older(self, document: Document) -> None:
        held = self._opened
        if held is not None and document.id == held.document.id and document.generation < held.document.generation:
            raise damaged(self.path)

    def _wrapped(self, name: bytes, key: bytearray, passphrase: Secret) -> tuple[bytes, Cost, bytes]:
        salt, cost = fresh_bytes(SALT), self._cost()
        under = derive(passphrase, salt, cost)
        try:
            return salt, cost, wrap(key, under, wrapping_place(name, salt, cost))
        finally:
            wipe(under)

    def _write(self, document: Document, opened: Opened) -> None:
        stamp = vault_file.write(self.path, document)
        self._adopt(Opened(document, stamp, bytearray(opened.key), self.path))

    def _adopt(self, opened: Opened) -> None:
        before, self._opened = self._opened, opened
        self.trouble = self._looked = None
        accounts = opened.accounts() | (before.accounts() if before is not None else frozenset())
        changed = frozenset(x for x in accounts if before is None or before.versions(x) != opened.versions(x))
        if before is not None:
            before.wipe()
        if changed:
            self._tell(changed)

    def _tell(self, accounts: frozenset[str]) -> None:
        for listener in tuple(self._listeners):
            listener(accounts)
