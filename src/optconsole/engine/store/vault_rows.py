"""Rows of the vault: each sealed to its own place, all of them listed under one seal, so that none can be swapped,
rolled back, added or taken away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.passphrase import wipe
from optconsole.engine.store.sealing import Cost, Unsealable, bound, for_purpose, seal, unseal
from optconsole.engine.store.vault_file import FORMAT, Document, Row, Stamp, damaged


class Opened:
    """A document whose every seal held, and the keys that showed it."""

    def __init__(self, document: Document, stamp: Stamp, key: bytearray, path: Path) -> None:
        """Raises Refusal(VAULT_TAMPERED)."""
        self.document = document
        self.stamp = stamp
        self.key = key
        self._values = for_purpose(key, "secrets")
        self._lists = for_purpose(key, "listing")
        self._rows = {(row.account, row.name): row for row in document.rows}
        try:
            listed = unseal(document.listing, self._lists, _whole(document))
            if listed != _listing(document.rows) or len(self._rows) != len(document.rows):
                raise Unsealable
            for row in document.rows:
                unseal(row.sealed, self._values, _place(document.id, row))
        except Unsealable:
            raise damaged(path) from None

    def row(self, account: str, name: str) -> Row | None:
        return self._rows.get((account, name))

    def value(self, row: Row) -> Secret:
        """What a row holds."""
        return Secret(unseal(row.sealed, self._values, _place(self.document.id, row)).decode())

    def with_rows(self, rows: Iterable[Row]) -> Document:
        """The next document, listing ``rows``."""
        after = msgspec.structs.replace(
            self.document, generation=self.document.generation + 1, rows=tuple(sorted(rows, key=_order))
        )
        return _listed(after, self._lists)

    def sealed(self, account: str, name: str, value: Secret, now: datetime, expires: datetime | None) -> Row:
        """A row of the next document."""
        row = Row(
            account=account,
            name=name,
            version=self.document.generation + 1,
            written=now,
            expires=expires,
            sealed=b"",
        )
        return _resealed(row, value, self._values, self.document.id)

    def rekeyed(self, key: bytearray, salt: bytes, cost: Cost, wrapped: bytes) -> Document:
        """The next document under another key, every value sealed anew."""
        values = for_purpose(key, "secrets")
        before = self.document
        rows = tuple(_resealed(row, self.value(row), values, before.id) for row in before.rows)
        after = msgspec.structs.replace(
            before, generation=before.generation + 1, salt=salt, cost=cost, wrapped=wrapped, rows=rows
        )
        return _listed(after, for_purpose(key, "listing"))

    def versions(self, account: str) -> tuple[tuple[str, int], ...]:
        """What there is of an account: other than before whenever something of it changed."""
        return tuple((row.name, row.version) for row in self.document.rows if row.account == account)

    def accounts(self) -> frozenset[str]:
        return frozenset(row.account for row in self.document.rows)

    def wipe(self) -> None:
        """Forget the keys."""
        for key in (self.key, self._values, self._lists):
            wipe(key)


def empty(name: bytes, salt: bytes, cost: Cost, wrapped: bytes, key: bytearray) -> Document:
    """The first document of a vault."""
    document = Document(
        format=FORMAT, id=name, generation=1, salt=salt, cost=cost, wrapped=wrapped, listing=b"", rows=()
    )
    return _listed(document, for_purpose(key, "listing"))


def wrapping_place(name: bytes, salt: bytes, cost: Cost) -> bytes:
    """What the wrapped key is bound to: this vault and what it costs to guess its passphrase."""
    return bound(name, salt, msgspec.json.encode(cost))


def _listed(document: Document, lists: bytearray) -> Document:
    return msgspec.structs.replace(document, listing=seal(_listing(document.rows), lists, _whole(document)))


def _resealed(row: Row, value: Secret, values: bytearray, vault: bytes) -> Row:
    return msgspec.structs.replace(row, sealed=seal(value.reveal().encode(), values, _place(vault, row)))


def _order(row: Row) -> tuple[str, str]:
    return row.account, row.name


def _listing(rows: Iterable[Row]) -> bytes:
    return bound(*(_identity(row) for row in rows))


def _identity(row: Row) -> bytes:
    expires = "" if row.expires is None else row.expires.isoformat()
    texts = (row.account, row.name, str(row.version), row.written.isoformat(), expires)
    return bound(*(text.encode() for text in texts))


def _place(vault: bytes, row: Row) -> bytes:
    return bound(vault, _identity(row))


def _whole(document: Document) -> bytes:
    return bound(
        document.id,
        str(document.generation).encode(),
        wrapping_place(document.id, document.salt, document.cost),
        document.wrapped,
    )
