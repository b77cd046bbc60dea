"""What the command line reads and shows of changes of a run's legs."""

from __future__ import annotations

import json

import pytest

from optconsole.cli import run as noun
from optconsole.cli import run_adjust
from optconsole.cli.arguments import Parser, UsageError
from optconsole.engine import commands as cmd
from optconsole.engine import queries as q
from optconsole.engine.model.adjustments import AddHedge, AnyAdjust, Convert, DeltaNeutral, RollLeg, ShiftLeg
from optconsole.engine.model.orders import Side
from optconsole.engine.model.strikes import CheapStrike, ExpiryRule, Series, StepStrike
from optconsole.engine.trading.handlers import View
from optconsole.engine.trading.runs import adjustment_preview
from optconsole.link.wire import Ask, Submit, decode_request, frame
from optconsole.screens.why_words import lines
from tests.engine.trading.runs.stage import Stage, name, strategy
from tests.engine.trading.runs.test_adopting import by_hand


def read(*words: str) -> AnyAdjust:
    parser = Parser(prog="run")
    noun.arguments(parser)
    return run_adjust.wanted(parser.read(list(words)))


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("roll R1 ce --expiry weekly+1", RollLeg(leg="ce", expiry=ExpiryRule(series=Series.WEEKLY, offset=1))),
        ("roll R1 ce~2 --strike OTM_2", RollLeg(leg="ce~2", strike=StepStrike(2))),
        ("shift R1 ce -2 --preview", ShiftLeg(leg="ce", steps=-2)),
        ("hedge R1 ce", AddHedge(leg="ce")),
        ("hedge R1 ce --strike cheap_5", AddHedge(leg="ce", strike=CheapStrike(500))),
        ("convert R1 --steps 6", Convert(steps=6)),
        ("neutral R1 --within 20 --leg pe", DeltaNeutral(bound=20, leg="pe")),
    ],
)
def test_words_say_what_is_changed(words: str, how: AnyAdjust) -> None:
    assert read(*(word.replace("_", " ") for word in words.split())) == how


def test_a_rule_that_names_no_strike_is_told_with_what_would_pass() -> None:
    with pytest.raises(UsageError, match="names no strike; write ATM"):
        read("roll", "R1", "ce", "--strike", "somewhere")


def straddle() -> Stage:
    stage = Stage()
    stage.start(strategy('entry = "09:20"\nexit = "15:15"', ce='sell CE stop = "25%"', pe="sell PE"))
    stage.to("09:20:00")
    return stage


def test_a_preview_shows_each_move_and_the_bound_that_wings_give() -> None:
    stage = straddle()
    scene = View(stage.state, stage.master, stage.situation, "ABC").scene()
    told = run_adjust.lines(adjustment_preview.preview(scene, "R1", Convert(steps=4)))
    assert told[0].startswith("Make an iron fly of ce, pe with NIFTY 01DEC26 24700 CE")
    assert told[2].split() == ["1", "ce~hedge", "open", "buy", "NIFTY", "01DEC26", "24700", "CE", "1", "65", "50.10"]
    assert any(line.startswith("max loss  no bound → ") and line[-1].isdigit() for line in told)
    assert "margin    – → –" in told
    shape = run_adjust.shape(adjustment_preview.preview(scene, "R1", Convert(steps=4)))
    assert (shape["margin_after_paise"], shape["unlimited_after"]) == (None, False)
    moves = json.loads(json.dumps(shape))["moves"]
    assert [(each["leg"], each["side"], each["price_paise"]) for each in moves] == [
        ("ce~hedge", "BUY", 5_010),
        ("pe~hedge", "BUY", 5_010),
    ]


def test_commands_and_previews_pass_the_wire_whole() -> None:
    how = RollLeg(leg="ce", expiry=ExpiryRule(offset=1), strike=StepStrike(2))
    command = cmd.AdjustRun(id="1", actor="cli", run_id="R1", how=how, expect=("a", "b"))
    asked = q.PreviewAdjustment(run_id="R1", how=how)
    for message in (Submit(1, command), Ask(2, asked)):
        assert decode_request(frame(message)[4:]) == message


def test_why_tells_a_shift_move_by_move() -> None:
    stage = straddle()
    stage.ask(cmd.AdjustRun(id="a", actor="key", run_id="R1", how=ShiftLeg(leg="ce", steps=1)))
    stage.settle()
    told = "\n".join(lines(stage.facts))
    assert "shift asked by key: Shift ce from NIFTY 01DEC26 24500 CE to NIFTY 01DEC26 24550 CE as ce~2." in told
    assert "1. ce is closed with BUY 1 × NIFTY 01DEC26 24500 CE" in told
    assert "2. ce~2 opens with SELL 1 × NIFTY 01DEC26 24550 CE" in told
    assert told.index("the shift is done") > told.index("ce~2: filled at")


def test_a_run_is_shown_with_each_part_beside_the_whole_position() -> None:
    stage = straddle()
    by_hand(stage, Side.SELL, 1, name(24500, "CE"), 10_000)
    parts = noun.parts_of(stage.state, stage.run())
    assert [(part["leg"], part["units"], part["position_units"]) for part in parts] == [
        ("ce", -65, -130),
        ("pe", -65, -65),
    ]
