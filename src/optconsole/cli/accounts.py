"""``optconsole accounts``: where orders go, and the money there."""

from __future__ import annotations

import argparse

from optconsole.cli import shapes
from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.cli.session import Engine, visit
from optconsole.engine.model.book import AccountBook
from optconsole.engine.model.errors import Refusal
from optconsole.engine.queries import FundsAnswer, GetFunds

HEAD = ("account", "broker", "mode", "cash", "margin used", "free")


def arguments(parser: Parser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, out: Output) -> int:
    """List accounts with the broker's word on money; what the broker does not say is unknown."""

    async def work(engine: Engine) -> list[tuple[AccountBook, FundsAnswer]]:
        books = (await engine.snapshot()).state.accounts.values()
        return [(book, await _funds(engine, book.account.id)) for book in books]

    formats, listed = out.formats, visit(args.home, work)
    document = {
        "accounts": [
            {
                **shapes.fields(book.account),
                "realised_before_paise": book.realised_before,
                "charges_before_paise": book.charges_before,
                "funds": shapes.fields(funds),
            }
            for book, funds in listed
        ]
    }
    rows = [
        (
            book.account.id,
            book.account.broker,
            book.account.mode.value,
            formats.amount(funds.cash),
            formats.amount(funds.margin_used),
            formats.amount(funds.free),
        )
        for book, funds in listed
    ]
    out.document(document, *(table(HEAD, rows, left=3) if rows else ["No account is known yet."]))
    return DONE


async def _funds(engine: Engine, account: str) -> FundsAnswer:
    try:
        return await engine.ask(GetFunds(account=account), FundsAnswer)
    except Refusal as refusal:
        if refusal.code == "ENGINE_SILENT":
            raise
        return FundsAnswer(account=account, cash=None, margin_used=None, free=None)
