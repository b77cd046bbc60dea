"""Whatever a client sends, the answer is one of Noren's shapes and the rehearsal lives on."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.brokers.rehearsal.noren.stage import BUY, Ears, Noren

ENDPOINTS = (
    "PlaceOrder",
    "ModifyOrder",
    "CancelOrder",
    "ExitSNOOrder",
    "ProductConversion",
    "OrderBook",
    "SingleOrdHist",
    "SingleOrdStatus",
    "TradeBook",
    "PositionBook",
    "Holdings",
    "Limits",
    "GetOrderMargin",
    "GetBasketMargin",
    "SpanCalc",
    "GetQuotes",
    "GetSecurityInfo",
    "SearchScrip",
    "GetOptionChain",
    "GetOptionGreek",
    "TPSeries",
    "EODChartData",
    "PlaceGTTOrder",
    "ModifyGTTOrder",
    "SetAlert",
    "GenAcsTok",
)
ODD: tuple[Any, ...] = (
    None,
    "",
    "None",
    "0",
    "-1",
    "65",
    "1e999",
    "nan",
    "9" * 400,
    "\u0000",
    "💥",
    7,
    -1.5,
    True,
    [],
    {},
    [{}],
    ["x"],
    [None],
    "NFO",
    "NIFTY23NOV26C25000",
    "B",
    "M",
    "LMT",
    "DAY",
    "24-NOV-2026",
    "NFO:X",
)
NAMES = (*BUY, "norenordno", "trgprc", "pos", "basketlists", "token", "stext", "strprc", "cnt", "st", "et", "intrv")
MORE = (
    "sym",
    "from",
    "to",
    "exd",
    "sptprc",
    "int_rate",
    "volatility",
    "ai_t",
    "d",
    "validity",
    "al_id",
    "prevprd",
    "code",
)


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_odd_fields_are_answered_in_shape(noren: Noren, name: str) -> None:
    draw = random.Random(name)
    for _ in range(25):
        fields: dict[str, Any] = dict(BUY) if draw.random() < 0.7 else {}
        fields |= {key: draw.choice(ODD) for key in draw.sample((*NAMES, *MORE), draw.randrange(1, 8))}
        answer = await noren.call(name, **fields)
        assert noren.status == 200
        assert isinstance(answer, list) or answer["stat"]


async def test_odd_frames_do_not_end_the_stream(stream: Ears) -> None:
    draw = random.Random("frames")
    for _ in range(200):
        kind = draw.choice(("t", "u", "d", "ud", "o", "uo", "p", "h", "x", 1, None))
        await stream.socket.send(json.dumps({"t": kind, "k": draw.choice(ODD)}))
    await stream.quiet()
    await stream.say(t="t", k="NSE|26000")
    assert (await stream.until(t="tk"))["tk"] == "26000"
