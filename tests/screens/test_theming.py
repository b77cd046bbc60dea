"""Themes are data: what ships is whole, what is broken says so in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.paths import themes_dir
from optconsole.screens.theming import DEFAULT, MODES, ROLES, BrokenTheme, Look, load_themes, look_of, read_theme
from optconsole.screens.wardrobe import Wardrobe

LOOKS, PROBLEMS = load_themes([themes_dir()])
BASE = Path(themes_dir() / "harbour.toml").read_text(encoding="utf-8")


def luminance(colour: tuple[int, int, int]) -> float:
    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(value) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(look: Look, role: str, ground: str = "") -> float:
    style = look.style(role, ground)
    assert style.color is not None
    assert style.bgcolor is not None
    one, two = (luminance(tuple(colour.get_truecolor())) for colour in (style.color, style.bgcolor))
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


def test_every_theme_that_ships_is_sound() -> None:
    assert PROBLEMS == []
    assert set(LOOKS) >= {"harbour", "ember", "daylight", "contrast", "deuter", "ansi", "mono"}


@pytest.mark.parametrize("name", ["harbour", "ember", "daylight", "contrast", "deuter"])
@pytest.mark.parametrize("ground", ["", "cursor", "cursor-row", "atm", "itm", "group", "total", "alarm", "flash"])
def test_figures_are_readable_on_every_ground(name: str, ground: str) -> None:
    for role in ("", "up", "down", "strong", "buy", "sell", "warn", "good", "accent", "bad"):
        assert contrast(LOOKS[name], role, ground) >= (4.5 if name == "contrast" else 4), (role, ground)
    for role in ("dim", "stale", "unknown"):
        assert contrast(LOOKS[name], role, ground) >= 2.55, (role, ground)


@pytest.mark.parametrize("name", ["harbour", "ember", "daylight", "contrast", "deuter"])
def test_what_is_quiet_is_quieter_than_a_figure(name: str) -> None:
    for role in ("dim", "stale", "unknown"):
        assert contrast(LOOKS[name], role) < contrast(LOOKS[name], ""), role


def test_the_sixteen_colour_theme_has_sixteen_colours() -> None:
    for role in ROLES:
        style = LOOKS["ansi"].style(role)
        for colour in (style.color, style.bgcolor):
            assert colour is not None
            assert colour.is_default or (colour.number is not None and colour.number < 16)


def test_the_monochrome_theme_has_no_colour_and_still_tells_the_cursor() -> None:
    look = LOOKS["mono"]
    assert all(
        colour.is_default for role in ROLES for colour in (look.style(role).color, look.style(role).bgcolor) if colour
    )
    assert look.style("", "cursor").reverse


def test_up_and_down_differ_in_blue_for_the_colour_blind() -> None:
    up, down = (LOOKS["deuter"].style(role).color for role in ("up", "down"))
    assert up is not None
    assert down is not None
    assert abs(up.get_truecolor()[2] - down.get_truecolor()[2]) > 100


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_modes_are_told_apart_in_every_theme(name: str) -> None:
    styles = [LOOKS[name].style(mode) for mode in MODES]
    if name != "mono":
        assert len({style.bgcolor for style in styles}) == len(MODES)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("up = ", "upp = "), "no role 'upp'"),
        (('accent = "#e6b455"\nforeground', "foreground"), "lacks accent"),
        (('primary = "#6cb6ff"', 'primary = "bluish"'), "is not a colour"),
        (('up = "#5fbf7f"', 'up = "shiny #5fbf7f"'), "is not a style"),
        (('up = "#5fbf7f"', "up = 7"), "must be text"),
        (("[base]", "[base"), "not valid TOML"),
        (("[base]", "[bass]"), "needs a table [base]"),
        (('primary = "', 'primery = "x"\nprimary = "'), "no entry 'primery'"),
    ],
)
def test_a_broken_theme_says_what_is_wrong_in_one_sentence(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    assert change[0] in BASE
    (tmp_path / "mine.toml").write_text(BASE.replace(*change, 1), encoding="utf-8")
    with pytest.raises(BrokenTheme) as raised:
        read_theme(tmp_path / "mine.toml")
    assert "mine.toml" in str(raised.value)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_broken_theme_leaves_the_others_and_the_default(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "good.toml").write_text(BASE, encoding="utf-8")
    looks, problems = load_themes([tmp_path])
    assert set(looks) == {DEFAULT, "good"}
    assert len(problems) == 1


def test_a_later_folder_wins(tmp_path: Path) -> None:
    (tmp_path / "harbour.toml").write_text(BASE.replace('up = "#5fbf7f"', 'up = "#010203"'), encoding="utf-8")
    looks, _ = load_themes([themes_dir(), tmp_path])
    colour = looks["harbour"].style("up").color
    assert colour is not None
    assert tuple(colour.get_truecolor()) == (1, 2, 3)


def test_any_other_app_gets_the_built_in_look() -> None:
    assert look_of(object()).name == DEFAULT


def write_theme(folder: Path, name: str, text: str = BASE) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def test_only_the_chosen_theme_is_read_before_the_first_frame(tmp_path: Path) -> None:
    wardrobe = Wardrobe([themes_dir(), tmp_path])
    assert wardrobe.choose("ember", no_color=False) == "ember"
    assert list(wardrobe.looks) == ["ember"]
    wardrobe.fill()
    assert set(wardrobe.looks) == set(LOOKS)


def test_the_trader_s_own_theme_wins_and_a_broken_one_leaves_the_one_that_ships(tmp_path: Path) -> None:
    write_theme(tmp_path, "ember", BASE.replace("Harbour: dark and calm", "Mine"))
    wardrobe = Wardrobe([themes_dir(), tmp_path])
    assert wardrobe.looks[wardrobe.choose("ember", no_color=False)].title == "Mine"
    write_theme(tmp_path, "ember", "[base")
    wardrobe = Wardrobe([themes_dir(), tmp_path])
    assert wardrobe.looks[wardrobe.choose("ember", no_color=False)].title == LOOKS["ember"].title
    wardrobe.fill()
    assert [problem for problem in wardrobe.problems if "ember.toml" in problem]


@pytest.mark.parametrize("name", ["nonesuch", "../themes/ember", ""])
def test_an_unknown_theme_is_told_with_what_there_is(tmp_path: Path, name: str) -> None:
    wardrobe = Wardrobe([themes_dir(), tmp_path])
    assert wardrobe.choose(name, no_color=False) == DEFAULT
    assert DEFAULT in wardrobe.looks
    assert not name or "ember" in wardrobe.problems[0]


@pytest.mark.parametrize(
    ("wanted", "no_color", "remote", "name"),
    [
        (None, False, False, DEFAULT),
        (None, False, True, "ansi"),
        (None, True, True, "mono"),
        ("ember", False, True, "ember"),
    ],
)
def test_without_a_choice_a_far_terminal_gets_sixteen_colours(
    wanted: str | None, no_color: bool, remote: bool, name: str
) -> None:
    assert Wardrobe([themes_dir()]).choose(wanted, no_color=no_color, remote=remote) == name
