"""The rows of baskets and of runs of strategies."""

from __future__ import annotations

import msgspec

from optconsole.engine.automation import made
from optconsole.engine.model.baskets import BasketBook
from optconsole.engine.model.book import TradingState
from optconsole.engine.model.runs import Run
from optconsole.engine.store.moments import stamp
from optconsole.engine.store.rows import Upsert, Value


def basket_row(book: BasketBook, seq: int) -> Upsert:
    """The row of table ``baskets``."""
    row: dict[str, Value] = {
        "name": book.basket.name,
        "status": book.status.value,
        "version": book.version,
        "saved_at": stamp(book.saved_at),
        "saved_by": book.by,
        "source": book.source,
        "pin": book.pin,
        "definition": msgspec.json.encode(book.basket).decode(),
        "seq": seq,
    }
    return Upsert("baskets", (book.basket.name,), row)


def run_row(state: TradingState, run: Run, seq: int) -> Upsert:
    """The row of table ``runs``."""
    realised, charges = made(state, run)
    row: dict[str, Value] = {
        "id": run.id,
        "basket": run.basket,
        "version": run.version,
        "strategy": run.strategy.name,
        "account": run.account,
        "mode": run.mode.value,
        "trade_date": run.trade_date.isoformat(),
        "entry_at": stamp(run.entry_at),
        "exit_at": stamp(run.exit_at),
        "status": run.status.value,
        "code": run.code,
        "text": run.text,
        "lag_ms": run.lag_ms,
        "realised": realised,
        "charges": charges,
        "seq": seq,
    }
    return Upsert("runs", (run.id,), row)
