"""``optconsole strategy plugins`` and ``lint`` with registered strategies, as a script would run them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.inside import optconsole

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "gap_fader.py"

FILE = """format = 1
[basket]
name = "rolled"
[[strategy]]
name = "s"
underlying = "NIFTY"
entry = "09:20"
exit = "15:15"
plugin = "strangle-roller"
params = { delta = 90 }
"""


def test_plugins_are_listed_with_parameters_and_origin(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "odd.py").write_text("raise ValueError('not today')")
    done = optconsole(tmp_path, "strategy", "plugins", "--json")
    cards = {each["name"]: each for each in done.document["plugins"]}
    assert set(cards) == {"strangle-roller", "opening-range-seller", "odd"}
    assert "ValueError: not today" in cards["odd"]["fault"]
    delta = cards["strangle-roller"]["fields"][0]
    assert (delta["name"], delta["kind"], delta["low"], delta["high"], delta["default"]) == ("delta", "int", 5, 45, 20)
    told = optconsole(tmp_path, "strategy", "plugins").out
    assert "strangle-roller  (built in)" in told
    assert "int from 5 to 45" in told
    assert "odd  (odd.py)  cannot be used" in told


def test_lint_names_the_line_of_a_parameter_that_will_not_do(tmp_path: Path) -> None:
    file = tmp_path / "rolled.toml"
    file.write_text(FILE)
    done = optconsole(tmp_path, "strategy", "lint", str(file))
    assert done.code == 1
    assert f"{file}:10: strategy[0].params: Input should be less than or equal to 45. [BAD_PARAM]" in done.err
    file.write_text(FILE.replace("90", "30"))
    assert optconsole(tmp_path, "strategy", "lint", str(file)).code == 0


def test_the_example_of_the_guide_is_a_strategy_that_can_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "example.py").write_text(EXAMPLE.read_text())
    cards = optconsole(tmp_path, "strategy", "plugins", "--json").document["plugins"]
    (card,) = [each for each in cards if each["origin"] == "example.py"]
    assert card["fault"] == ""
