"""One table of keys feeds dispatch, footer and help."""

from __future__ import annotations

import pytest

from optconsole.screens.key_needs import NEEDS
from optconsole.screens.keymap import Keymap, bindings, is_order_key, key_name
from optconsole.screens.keys import KEYS
from optconsole.screens.presses import Debounce
from optconsole.screens.widgets.quote_grid import QuoteGrid
from tests.screens.opening import line, opened
from tests.screens.stage import StageLink, stage_app


def test_ids_are_unique_and_every_key_explains_itself() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all(key.description and key.tooltip.endswith(".") for key in KEYS)


def test_no_two_bindings_of_one_context_share_a_key() -> None:
    assert Keymap().clashes() == []


def test_no_trading_key_is_a_key_that_terminals_or_the_palette_own() -> None:
    taken = {"ctrl+k", "ctrl+p", "ctrl+s", "ctrl+q", "ctrl+a", "ctrl+b"}
    assert all(not taken & set(key.keys.split(",")) for key in KEYS if key.order)


def test_no_trading_key_is_also_a_global_key() -> None:
    everywhere = {name for key in KEYS if key.context in ("global", "app", "grid") for name in key.keys.split(",")}
    for key in KEYS:
        if key.order:
            assert not everywhere & set(key.keys.split(",")), key.id


def test_own_keys_replace_the_table_s() -> None:
    keymap = Keymap({"buy": "ctrl+y", "nothing": "z"})
    buy = next(key for key in KEYS if key.id == "buy")
    assert keymap.shown(buy) == "^Y"
    assert keymap.own == {"buy": "ctrl+y"}
    assert len(keymap.problems) == 1
    assert "nothing" in keymap.problems[0]


def test_own_keys_that_clash_are_told() -> None:
    assert "means both" in Keymap({"sell": "b"}).clashes()[0]


def test_bindings_carry_id_and_tooltip() -> None:
    made = bindings("trade")
    assert [(binding.id, bool(binding.tooltip)) for binding in made] == [("buy", True), ("sell", True)]  # type: ignore[union-attr]


def test_names_of_keys_are_those_on_the_keyboard() -> None:
    shown = [key_name(key) for key in ("b", "ctrl+x", "f1", "pageup", "right_square_bracket", "slash", "G")]
    assert shown == ["b", "^X", "F1", "PgUp", "]", "/", "G"]


def test_the_kill_chord_is_shown_as_two_presses() -> None:
    assert Keymap().kill_chord() == "^X^X"


def test_a_key_held_down_is_one_press_however_long() -> None:
    debounce = Debounce()
    presses = [debounce.fresh("buy", t) for t in (0.0, 0.25, 0.5, 0.75, 1.1)]
    assert presses == [True, False, False, False, True]


def test_two_order_keys_do_not_hide_each_other() -> None:
    debounce = Debounce()
    assert debounce.fresh("buy", 0.0)
    assert debounce.fresh("sell", 0.01)


def test_which_keys_may_trade() -> None:
    assert is_order_key("exit")
    assert not is_order_key("find")


def test_the_shipped_keys_are_keys_and_never_clash_with_the_traders_own() -> None:
    assert Keymap().clashes() == []
    assert Keymap({"buy": "ctrl+b,f9"}).clashes() == []


def test_a_key_that_is_none_is_said() -> None:
    assert any("'zz' is no key" in text for text in Keymap({"buy": "zz"}).clashes())


def test_a_key_that_works_everywhere_may_not_be_taken_by_the_kill_switch() -> None:
    assert any("means both" in text and "kill" in text for text in Keymap({"kill": "k"}).clashes())


# ---------------------------------------------------------------- keys that do nothing


def test_what_a_key_needs_is_said_only_of_keys_there_are() -> None:
    assert {key.id for key in KEYS} >= set(NEEDS)


@pytest.mark.parametrize(
    ("screen", "key", "told"),
    [
        ("orders", "m", "m Modify needs an order that works"),
        ("orders", "u", "u Doubt needs an order in doubt"),
        ("positions", "p", "p Stop needs an open position under the cursor"),
        ("positions", "b", "b Buy needs a contract under the cursor"),
        ("risk", "d", "d Remove needs a limit under the cursor"),
        ("health", "r", "r Hear again needs a dead letter"),
        ("health", "exclamation_mark", "There is no notice to mark"),
        ("chain", "w", "Why is told of orders"),
        ("chain", "z", "z does nothing here; ? lists the keys that do"),
    ],
)
async def test_a_key_that_can_do_nothing_says_why(screen: str, key: str, told: str) -> None:
    async with stage_app(StageLink(), screen).run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert told in line(app, "fact")


async def test_help_lists_the_keys_of_the_screen_that_cannot_act_now_with_what_they_need() -> None:
    async with stage_app(StageLink(), "orders").run_test(size=(120, 36)) as pilot:
        app = await opened(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        told = app.screen.query_one(QuoteGrid).row_text("modify")
        assert "Needs an order that works" in told
