"""The ``:`` line: what it reads, what it refuses, what it completes."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, Standing
from optconsole.engine.model.orders import OrderType, Product, Side, Validity
from optconsole.screens.commands import VERBS, complete, parse, usage
from optconsole.screens.wishes import (
    Cancel,
    Close,
    DropLimit,
    Kill,
    Known,
    Leave,
    Modify,
    PutLimit,
    Release,
    Show,
    Stand,
    Steer,
    Trade,
    UseTheme,
    Wish,
)

NEAR, FAR = date(2026, 11, 25), date(2026, 12, 1)
CALL, FAR_CALL = "NIFTY 25NOV26 24500 CE", "NIFTY 01DEC26 24500 CE"
KNOWN = Known(
    expiries={"NIFTY": (NEAR, FAR), "BANKNIFTY": (NEAR,)},
    contracts=(CALL, "NIFTY 25NOV26 24500 PE", "NIFTY 25NOV26 24550 CE", FAR_CALL, "NIFTY 25NOV26 FUT"),
    orders=("O6", "O12"),
    accounts=("paper",),
    themes=("harbour", "mono"),
    screens=("positions", "chain", "orders", "journal", "health"),
)


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        (":buy 2 NIFTY 01DEC26 24500 CE @ 101.25", Trade(Side.BUY, FAR_CALL, 2, OrderType.LIMIT, 10_125)),
        ("buy 2 nifty 01dec26 24500 ce @101.25", Trade(Side.BUY, FAR_CALL, 2, OrderType.LIMIT, 10_125)),
        ("sell NIFTY 24500 CE", Trade(Side.SELL, CALL)),
        ("sell NIFTY 25Nov 24500 CE", Trade(Side.SELL, CALL)),
        ("buy 2 nifty 1dec 24500 ce", Trade(Side.BUY, FAR_CALL, 2)),
        ("go chain NIFTY 01Dec", Show("chain", "NIFTY", FAR)),
        (
            "sell 3 NIFTY 24500CE mkt mis ioc",
            Trade(Side.SELL, CALL, 3, OrderType.MARKET, None, None, Product.MIS, Validity.IOC),
        ),
        ("buy NIFTY 24500 CE sl 126 127", Trade(Side.BUY, CALL, 1, OrderType.SL, 12_700, 12_600)),
        ("buy NIFTY 24500 CE slm 126", Trade(Side.BUY, CALL, 1, OrderType.SL_M, None, 12_600)),
        ("buy NIFTY FUT", Trade(Side.BUY, "NIFTY 25NOV26 FUT")),
        ("exit NIFTY", Close(Scope(ScopeKind.UNDERLYING, "NIFTY"))),
        ("exit NIFTY 24500 CE 50%", Close(Scope(ScopeKind.CONTRACT, CALL), 50)),
        ("exit paper", Close(Scope(ScopeKind.ACCOUNT, "paper"))),
        ("flatten", Close(Scope())),
        ("flatten 25%", Close(Scope(), 25)),
        ("cancel o12", Cancel("O12")),
        ("cancel all", Cancel()),
        ("cancel NIFTY", Cancel(scope=Scope(ScopeKind.UNDERLYING, "NIFTY"))),
        ("modify O6", Modify("O6")),
        ("go chain BANKNIFTY", Show("chain", "BANKNIFTY")),
        ("go chain NIFTY 01DEC26", Show("chain", "NIFTY", FAR)),
        ("screen orders", Show("orders")),
        ("theme mono", UseTheme("mono")),
        ("kill market is mad", Kill("market is mad")),
        ("release UNLOCK", Release("UNLOCK")),
        ("to 15:00", Steer("to", until="15:00")),
        ("pause", Steer("pause")),
        ("resume 10", Steer("resume", speed=10.0)),
        ("resume max", Steer("resume", speed=0.0)),
        ("resume", Steer("resume")),
        ("quit", Leave()),
        (
            "limit global max-loss 25000 exit-scope",
            PutLimit(
                Limit(level=Level.GLOBAL, kind=LimitKind.MAX_LOSS, value=2_500_000, action=LimitAction.EXIT_SCOPE)
            ),
        ),
        (
            "limit leg:NIFTY 25NOV26 24500 CE open-lots 20 because the week is won",
            PutLimit(Limit(level=Level.LEG, kind=LimitKind.OPEN_LOTS, value=20, name=CALL), "the week is won"),
        ),
        ("unlimit account:paper max-loss", DropLimit(Level.ACCOUNT, LimitKind.MAX_LOSS, "paper")),
        ("state global HALTED", Stand(Level.GLOBAL, Standing.HALTED)),
        ("state account:paper active because news", Stand(Level.ACCOUNT, Standing.ACTIVE, "paper", "news")),
    ],
)  # fmt: skip
def test_a_line_is_read(line: str, wish: Wish) -> None:
    assert parse(line, KNOWN) == wish


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("", "EMPTY", "buy"),
        ("sel NIFTY", "UNKNOWN_COMMAND", "did you mean sell"),
        ("buy NIFTI 24500 CE", "UNKNOWN_NAME", "did you mean NIFTY"),
        ("buy NIFTY", "STRIKE_MISSING", "strike"),
        ("buy", "CONTRACT_MISSING", "NIFTY 25NOV26 24500 CE"),
        ("buy NIFTY 24500", "STRIKE_MISSING", "CE or PE"),
        ("buy NIFTY 26NOV26 24500 CE", "UNKNOWN_EXPIRY", "25NOV26"),
        ("buy NIFTY 24512 CE", "UNKNOWN_CONTRACT", "the nearest strikes are 24500 and 24550."),
        ("buy NIFTY 26Nov 24500 CE", "UNKNOWN_EXPIRY", "there are 25NOV26, 01DEC26"),
        ("buy NIFTY 24512 PE", "UNKNOWN_CONTRACT", "the nearest strikes are 24500."),
        ("buy -2 NIFTY 24500 CE", "BAD_QUANTITY", "'-2' is not a number of lots"),
        ("buy 2.5 NIFTY 24500 CE", "BAD_QUANTITY", "'2.5' is not a number of lots"),
        ("re", "UNKNOWN_COMMAND", "did you mean release or resume"),
        ("foo", "UNKNOWN_COMMAND", "pause, resume, quit."),
        ("theme nope", "UNKNOWN_NAME", "there are harbour, mono."),
        ("buy 0 NIFTY 24500 CE", "BAD_QUANTITY", "1 or more"),
        ("buy NIFTY 24500 CE @", "PRICE_MISSING", "1 price"),
        ("buy NIFTY 24500 CE sl 126", "PRICE_MISSING", "2 prices"),
        ("buy NIFTY 24500 CE @ 10.123", "BAD_AMOUNT", "decimals"),
        ("buy NIFTY 24500 CE @ 0", "BAD_AMOUNT", "above zero"),
        ("buy NIFTY 24500 CE now", "UNKNOWN_WORD", "mkt"),
        ("buy NIFTY 24500 CE mkt mkt", "UNKNOWN_WORD", "mkt"),
        ("exit", "SCOPE_MISSING", "flatten"),
        ("exit NIFTI", "UNKNOWN_SCOPE", "did you mean NIFTY"),
        ("exit NIFTY 0%", "BAD_PERCENT", "1% to 100%"),
        ("cancel O7", "NOT_WORKING", "O6"),
        ("theme harbor", "UNKNOWN_NAME", "did you mean harbour"),
        ("screen order", "UNKNOWN_NAME", "did you mean orders"),
        ("release unlock", "NOT_UNLOCKED", "UNLOCK"),
        ("to 25:00", "BAD_TIME", "15:00"),
        ("resume fast", "BAD_SPEED", "max"),
        ("quit now", "UNKNOWN_WORD", "alone"),
        ("limit global", "BAD_LIMIT", "global max-loss 25000"),
        ("limit global max-loss lots", "BAD_AMOUNT", "lots"),
        ("limit nowhere max-loss 1", "BAD_LIMIT", "'nowhere' names no level"),
        ("unlimit global max-los", "BAD_LIMIT", "did you mean max-loss"),
        ("state global stopped", "BAD_STATE", "active, reducing, halted"),
    ],
)
def test_a_mistake_is_one_sentence_with_what_is_near(line: str, code: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(line, KNOWN)
    assert refused.value.code == code
    assert says in refused.value.text
    assert "\n" not in refused.value.text


WORDS = [*VERBS, "NIFTY", "24500", "CE", "FUT", "@", "1", "%", "O6", "sl"]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS)).map(" ".join)))
def test_any_line_is_read_or_refused_and_completed_without_a_fault(line: str) -> None:
    assert all(isinstance(word, str) for word in complete(line, KNOWN))
    assert isinstance(usage(line), str)
    with contextlib.suppress(Refusal):
        assert parse(line, KNOWN) is not None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("se", ["sell"]),
        ("st", ["state"]),
        ("re", ["release", "resume"]),
        ("sell ", ["NIFTY", "BANKNIFTY"]),
        ("sell 2 ni", ["NIFTY"]),
        ("sell 2 NIFTY ", ["25NOV26", "01DEC26"]),
        ("sell 2 NIFTY 25NOV26 245", ["24500", "24550"]),
        ("sell 2 NIFTY 24500 ", ["CE", "PE"]),
        ("sell NIFTY 24500 CE ", ["@", "mkt", "sl", "slm"]),
        ("cancel ", ["O6", "O12", "all", "paper", "NIFTY", "BANKNIFTY"]),
        ("theme m", ["mono"]),
        ("go chain B", ["BANKNIFTY"]),
        ("go orders ", []),
        ("release ", ["UNLOCK"]),
        ("limit ", ["global", "order", "account:paper"]),
        ("limit global max-l", ["max-loss", "max-loss-percent"]),
        ("limit global max-loss ", []),
        ("limit global max-loss 25000 ex", ["exit-scope"]),
        ("unlimit global max-loss ", ["because"]),
        ("state global ", ["active", "reducing", "halted"]),
        ("state global active ", ["because"]),
    ],
)
def test_completion_offers_what_may_stand_there(line: str, words: list[str]) -> None:
    assert complete(line, KNOWN) == words


def test_where_nothing_works_no_names_are_listed() -> None:
    with pytest.raises(Refusal, match=r"O99 is not working; no order is\."):
        parse("cancel O99", Known())
