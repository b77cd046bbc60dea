"""Where the state and the themes lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole import paths


@pytest.mark.parametrize(
    ("chosen", "environ", "home"),
    [
        ("/a", {"OPTCONSOLE_HOME": "/b", "XDG_STATE_HOME": "/c"}, "/a"),
        (None, {"OPTCONSOLE_HOME": "/b", "XDG_STATE_HOME": "/c"}, "/b"),
        (None, {"XDG_STATE_HOME": "/c"}, "/c/optconsole"),
        (None, {"XDG_STATE_HOME": "relative"}, "~/.local/state/optconsole"),
        (None, {}, "~/.local/state/optconsole"),
        ("~/desk", {}, "~/desk"),
    ],
)
def test_the_nearest_wish_names_the_home(chosen: str | None, environ: dict[str, str], home: str) -> None:
    assert paths.home_dir(chosen, environ) == Path(home).expanduser()


def test_a_checkout_finds_the_themes_at_its_top() -> None:
    assert paths.themes_dir() == Path(__file__).resolve().parents[1] / "themes"
