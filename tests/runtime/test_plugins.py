"""Strategies in processes of their own: what they answer, and every way in which one can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from optconsole.engine.model.plugins import AskKind, Note, StrategyAnswer, StrategyRequest, Verdict, View
from optconsole.engine.model.strategies import Strategy
from optconsole.engine.model.timeline import IST
from optconsole.engine.strategies.tables import PLAIN_SCHEDULE
from optconsole.runtime.plugin_process import Bounds
from optconsole.runtime.plugins import Plugins

HEAD = """
from optconsole.engine.strategies.plugin import *
from pydantic import Field, field_validator
from typing import Literal
"""
GOOD = """
class Good(Plugin):
    "Counts its calls."
    name = "good"
    every = 7
    class Params(Parameters):
        width: int = Field(2, ge=1, le=9, description="strikes away")
        way: Literal["up", "down"] = "up"
        @field_validator("width")
        def _even(cls, given):
            if given % 2:
                raise ValueError("only even widths will do")
            return given
    def entry(self, view, memory):
        memory["spot"] = view.spot
        return Legs([{"id": "ce", "side": "sell", "right": "CE", "strike": f"otm{self.params.width}"}], "as ever")
    def look(self, view, memory):
        memory["calls"] = memory.get("calls", 0) + 1
        return [Note(why=f"call {memory['calls']}")]
"""
Make = Callable[..., Plugins]


def failing(look: str, name: str = "bad") -> str:
    body = "\n".join("        " + line for line in look.splitlines())
    return f'class Bad(Plugin):\n    name = "{name}"\n    def look(self, view, memory):\n{body}\n'


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    opened: list[Plugins] = []

    def build(bounds: Bounds | None = None, **files: str) -> Plugins:
        folder = tmp_path / "strategies"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(HEAD + text)
        opened.append(Plugins(folder, bounds or Bounds(seconds=5.0)))
        return opened[-1]

    yield build
    for each in opened:
        await each.close()


def view(spot: int | None = 2_450_000) -> View:
    at = datetime(2026, 11, 25, 9, 20, tzinfo=IST)
    return View(now=at, underlying="NIFTY", spot=spot, expiry=date(2026, 12, 1), entry_at=at, exit_at=at)


def request(plugin: str, kind: AskKind = AskKind.LOOK, memory: str = "{}", **params: object) -> StrategyRequest:
    return StrategyRequest(
        run_id="R1",
        kind=kind,
        plugin=plugin,
        params=params,  # type: ignore[arg-type]
        memory=memory,
        view=view(),
    )


def strategy(plugin: str, **params: object) -> Strategy:
    return Strategy(name="s", underlying="NIFTY", schedule=PLAIN_SCHEDULE, plugin=plugin, params=params)  # type: ignore[arg-type]


async def test_a_strategy_in_the_folder_is_listed_asked_and_keeps_its_memory(make: Make) -> None:
    plugins = make(good=GOOD)
    card = next(each for each in await plugins.cards() if each.name == "good")
    assert (card.origin, card.text, card.every, card.fault) == ("good.py", "Counts its calls.", 7, "")
    width, way = card.fields
    assert (width.name, width.kind, width.default, width.low, width.high) == ("width", "int", 2, 1, 9)
    assert (width.text, way.kind, way.choices) == ("strikes away", "choice", ("up", "down"))
    entry = await plugins.ask(request("good", AskKind.ENTRY, width=4))
    assert (entry.fault, entry.verdict, entry.legs[0]["strike"], entry.memory) == (
        None,
        Verdict.ENTER,
        "otm4",
        '{"spot": 2450000}',
    )
    first = await plugins.ask(request("good", memory=entry.memory))
    second = await plugins.ask(request("good", memory=first.memory))
    assert second.actions == (Note(why="call 2"),)
    assert second.every == 7


async def test_the_built_in_strategies_are_listed_and_usable(make: Make) -> None:
    plugins = make()
    cards = {each.name: each for each in await plugins.cards()}
    assert set(cards) == {"opening-range-seller", "strangle-roller"}
    assert all(each.fault == "" and each.fields and each.origin == "built in" for each in cards.values())


@pytest.mark.parametrize(
    ("look", "code", "words"),
    [
        ("raise ValueError('\\x1b[31mno')", "RAISED", "no"),
        ("while True: pass", "TOO_SLOW", "300 ms"),
        ("import time; time.sleep(60)", "TOO_SLOW", "300 ms"),
        ("memory['x'] = [bytearray(10**8) for _ in range(40)]", "OUT_OF_MEMORY", "memory"),
        ("print('hello'); return []", "GARBAGE", "hello"),
        ("import os; os.write(1, b'x' * 400_000)", "GARBAGE", "262144 bytes"),
        ("return 42", "GARBAGE", "int"),
        ("return [{'do': 'exit-all'}]", "GARBAGE", "dict"),
        ("return [MoveStop(leg='ce', price='ten')]", "GARBAGE", "MoveStop"),
        ("return (Note(why='x') for _ in iter(int, 1))", "GARBAGE", "20 actions"),
        ("memory['x'] = 'a' * 20_000; return []", "GARBAGE", "16384"),
        ("memory['x'] = object(); return []", "GARBAGE", "JSON"),
        ("raise SystemExit(3)", "DIED", "code"),
        ("import os; os._exit(7)", "DIED", "exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "DIED", "SIGSEGV"),
    ],
)
async def test_a_strategy_that_fails_is_told_how_and_the_next_call_is_sound(
    make: Make, look: str, code: str, words: str
) -> None:
    slow = code == "TOO_SLOW"
    plugins = make(Bounds(seconds=0.3 if slow else 5.0, megabytes=1024), bad=failing(look), good=GOOD)
    answer = await plugins.ask(request("bad"))
    assert answer.fault is not None
    assert answer.fault.code == code, answer.fault
    assert words in answer.fault.text
    again = await plugins.ask(request("bad"))
    assert again.fault is not None
    assert again.fault.code == code
    if not slow:
        assert (await plugins.ask(request("good"))).fault is None


async def test_nothing_of_the_traders_environment_reaches_a_strategy(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_SECRET", "hunter2")
    plugins = make(spy=failing("import os; return [Note(why=str(sorted(os.environ)))]"))
    answer = await plugins.ask(request("bad"))
    assert answer.fault is None
    (note,) = answer.actions
    assert "BROKER_SECRET" not in note.why
    assert "HOME" not in note.why


async def test_a_strategy_writes_no_file(make: Make, tmp_path: Path) -> None:
    target = tmp_path / "written"
    plugins = make(bad=failing(f"with open({str(target)!r}, 'w') as file:\n    file.write('x' * 10)\nreturn []"))
    answer = await plugins.ask(request("bad"))
    assert answer.fault is not None
    assert answer.fault.code == "RAISED"
    assert not target.exists() or target.read_text() == ""


async def test_what_a_strategy_began_ends_with_it(make: Make, tmp_path: Path) -> None:
    look = "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nraise ValueError(str(child.pid))"
    plugins = make(bad=failing(look))
    answer = await plugins.ask(request("bad"))
    assert answer.fault is not None
    pid = int(answer.fault.text.split()[1])
    await plugins.close()
    async with asyncio.timeout(5):
        while alive(pid):  # noqa: ASYNC110  a signal has no event of its own
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be counted does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("print('hi')", "prints while it is loaded"),
        ("import os; os._exit(2)", "exit code 2"),
        ("this is no python", "SyntaxError"),
        ("x = 1", "holds no strategy"),
        ("class A(Plugin):\n    name = 'two words'", "characters"),
        ("class A(Plugin):\n    every = 0", "every"),
        ("class A(Plugin):\n    class Params(Parameters):\n        x: list[int] = []", "x is of a type"),
    ],
)
async def test_a_source_that_cannot_be_used_is_listed_with_its_reason(make: Make, text: str, words: str) -> None:
    plugins = make(odd=text, good=GOOD)
    cards = await plugins.cards()
    sound = {each.name for each in cards if not each.fault}
    assert sound == {"opening-range-seller", "strangle-roller", "good"}
    (odd,) = [each for each in cards if each.fault]
    assert words in odd.fault


async def test_a_name_that_is_taken_stays_with_its_first_owner(make: Make) -> None:
    plugins = make(
        thief="class A(Plugin):\n    name = 'strangle-roller'\n    def entry(self, view, memory): return Skip('me')"
    )
    cards = [each for each in await plugins.cards() if each.name == "strangle-roller"]
    assert [(each.origin, each.fault) for each in cards] == [
        ("built in", ""),
        ("thief.py", "built in registers that name already"),
    ]
    answer = await plugins.ask(request("strangle-roller", AskKind.ENTRY))
    assert answer.why != "me"


async def test_a_file_that_anybody_may_write_to_is_not_run(make: Make, tmp_path: Path) -> None:
    plugins = make(good=GOOD)
    (tmp_path / "strategies" / "good.py").chmod(0o666)
    (card,) = [each for each in await plugins.cards() if each.origin == "good.py"]
    assert "anybody may write" in card.fault
    assert (await plugins.ask(request("good"))).fault is not None


async def test_files_that_cannot_be_read_and_helpers_of_the_trader_do_no_harm(make: Make, tmp_path: Path) -> None:
    plugins = make(good=GOOD, _helper="raise SystemExit")
    (tmp_path / "strategies" / "gone.py").symlink_to(tmp_path / "nowhere")
    cards = {each.origin: each.fault for each in await plugins.cards()}
    assert cards == {"built in": "", "good.py": "", "gone.py": "it cannot be read: No such file or directory"}


async def test_parameters_are_checked_by_the_strategys_own_model_with_the_name_of_the_field(make: Make) -> None:
    plugins = make(good=GOOD)
    wrong = [
        strategy("good", width=3),
        strategy("good", width=10),
        strategy("good", way="sideways"),
        strategy("good", hight=1),
    ]
    sound = strategy("good", width=4)
    await plugins.vet([*wrong, sound, strategy("none")])
    assert [plugins.faults(each)[0].field for each in wrong] == ["width", "width", "way", "hight"]
    assert plugins.faults(wrong[0])[0].text == "only even widths will do."
    assert plugins.faults(sound) == ()
    (unknown,) = plugins.faults(strategy("none"))
    assert (unknown.code, unknown.field) == ("UNKNOWN_PLUGIN", "")
    assert plugins.faults(strategy("good", width=6))[0].code == "UNKNOWN_PLUGIN"


async def test_a_file_written_anew_is_loaded_anew_at_the_next_entry_and_not_before(make: Make, tmp_path: Path) -> None:
    plugins = make(good=GOOD)
    assert (await plugins.ask(request("good", AskKind.ENTRY))).why == "as ever"
    (tmp_path / "strategies" / "good.py").write_text(HEAD + GOOD.replace("as ever", "anew").replace("call {", "turn {"))
    assert (await plugins.ask(request("good"))).actions == (Note(why="call 1"),)
    assert (await plugins.ask(request("good", AskKind.ENTRY))).why == "anew"
    assert (await plugins.ask(request("good"))).actions == (Note(why="turn 1"),)


async def test_a_warm_call_only_loads(make: Make) -> None:
    plugins = make(good=GOOD)
    warm = await plugins.ask(request("good", AskKind.WARM))
    assert warm == StrategyAnswer(run_id="R1", kind=AskKind.WARM, every=7)
    missing = await plugins.ask(request("absent", AskKind.WARM))
    assert missing.fault is not None
    assert missing.fault.code == "NOT_REGISTERED"


async def test_calls_of_many_runs_at_once_are_all_answered(make: Make) -> None:
    plugins = make(good=GOOD)
    ask: Callable[[StrategyRequest], Awaitable[StrategyAnswer]] = plugins.ask
    answers = await asyncio.gather(*(ask(request("good", memory=f'{{"calls": {n}}}')) for n in range(20)))
    assert [each.actions[0] for each in answers] == [Note(why=f"call {n + 1}") for n in range(20)]
