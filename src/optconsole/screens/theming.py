"""Themes: TOML files of base colours and roles, read into a Textual theme and a table of finished styles."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from rich.color import Color as RichColor
from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from optconsole.engine.model.text import display

DEFAULT: Final = "harbour"
MONOCHROME: Final = "mono"
SIXTEEN: Final = "ansi"
BASE: Final = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
)
ROLES: Final[dict[str, str]] = {
    # what a figure says
    "up": "success",
    "down": "error",
    "dim": "dim",
    "unknown": "dim",
    "stale": "dim italic",
    "strong": "bold",
    "accent": "accent",
    "warn": "warning",
    "bad": "bold error",
    "good": "success",
    "buy": "primary",
    "sell": "warning",
    "call": "primary",
    "put": "warning",
    "bar": "secondary",
    "key": "bold accent",
    "title": "bold",
    # what a row or cell stands on
    "head": "bold",
    "group": "bold",
    "total": "bold",
    "atm": "bold",
    "itm": "",
    "cursor": "reverse",
    "cursor-row": "",
    "flash": "reverse",
    "alarm": "bold error",
    "mine": "bold accent",
    # the mode of the whole frame
    "paper": "success",
    "live": "bold error",
    "halted": "bold reverse error",
    "replay": "primary",
    "what-if": "warning",
}
"""Every role and what it falls back to: words of Rich's style language, in which base colours go by name."""

MODES: Final = ("paper", "live", "halted", "replay", "what-if")


class BrokenTheme(Exception):
    """A theme file that cannot be used; the text is one sentence."""


class Look:
    """One theme, resolved: the Textual theme and the style of every role on every ground."""

    def __init__(self, name: str, title: str, theme: Theme, roles: dict[str, Style], base: Style) -> None:
        self.name = name
        self.title = title
        self.theme = theme
        self.base = base
        self._roles = roles
        self._cells: dict[tuple[str, str], Style] = {}

    def style(self, role: str = "", ground: str = "") -> Style:
        """The finished style of ``role`` standing on ``ground`` (a row kind); the ground's colours win."""
        found = self._cells.get((role, ground))
        if found is None:
            blank = Style.null()
            found = self.base + self._roles.get(role, blank) + self._roles.get(ground, blank)
            self._cells[role, ground] = found
        return found


def load_themes(folders: Iterable[Path]) -> tuple[dict[str, Look], list[str]]:
    """Read every ``*.toml`` of the folders; later folders win by name.

    Returns the looks by name, and one sentence for each file that could not be read. The built-in default is
    always among the looks.
    """
    looks: dict[str, Look] = {DEFAULT: built_in()}
    problems: list[str] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            try:
                look = read_theme(path)
            except BrokenTheme as error:
                problems.append(str(error))
            else:
                looks[look.name] = look
    return looks, problems


def read_theme(path: Path) -> Look:
    """Read one theme file. Raises BrokenTheme."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenTheme(f"Theme {path.name} cannot be read: {error.__class__.__name__}.") from error
    except tomllib.TOMLDecodeError as error:
        raise BrokenTheme(f"Theme {path.name} is not valid TOML: {display(str(error), 120)}.") from error
    try:
        return build_look(path.stem, table)
    except BrokenTheme as error:
        raise BrokenTheme(f"Theme {path.name}: {error}") from error


def build_look(name: str, table: dict[str, object]) -> Look:
    """A look of a parsed theme file. Raises BrokenTheme naming the first wrong entry."""
    base = _strings(table.get("base"), "base")
    written = _strings(table.get("roles", {}), "roles")
    for key in BASE:
        if key not in base:
            raise BrokenTheme(f"[base] lacks {key}.")
    for key, value in base.items():
        if key not in BASE:
            raise BrokenTheme(f"[base] has no entry {display(key, 40)!r}; it has {', '.join(BASE)}.")
        _check_colour(key, value)
    ansi = table.get("ansi") is True
    unknown = [key for key in written if key not in ROLES]
    if unknown:
        raise BrokenTheme(f"there is no role {display(unknown[0], 40)!r}.")
    names = {key: _rich_colour(value) for key, value in base.items()}
    roles = {role: _style(role, written.get(role, fallback), names) for role, fallback in ROLES.items()}
    for mode in MODES:
        roles[f"edge-{mode}"] = Style(color=_mode_colour(roles[mode]))
    ground = Style.parse(f"{names['foreground']} on {names['background']}")
    theme = Theme(
        name=name,
        primary=base["primary"],
        secondary=base["secondary"],
        accent=base["accent"],
        foreground=base["foreground"],
        background=base["background"],
        surface=base["surface"],
        panel=base["panel"],
        success=base["success"],
        warning=base["warning"],
        error=base["error"],
        dark=table.get("dark") is not False,
        ansi=ansi,
        variables=_variables(roles, ansi),
    )
    title = table.get("title")
    return Look(name, display(title, 60) if isinstance(title, str) else name, theme, roles, ground)


def _variables(roles: dict[str, Style], ansi: bool) -> dict[str, str]:
    """CSS variables: one colour per mode for borders, and quiet scrollbars."""
    found: dict[str, str] = {}
    for mode in MODES:
        colour = _mode_colour(roles[mode])
        found[f"mode-{mode}"] = _css_colour(colour.name if colour else "default")
    quiet = roles["bar"].color
    found["quiet"] = _css_colour(quiet.name if quiet else "default")
    if ansi:
        # the style sheets of Textual's own widgets ask for these names when a theme is native ANSI
        found.update(BUILTIN_THEMES["ansi-dark"].variables)
    return found


def _mode_colour(style: Style) -> RichColor | None:
    """A mode is a block of colour; as a line it is that block's colour."""
    return style.bgcolor if style.bgcolor is not None and not style.reverse else style.color


def _css_colour(rich_name: str) -> str:
    if rich_name.startswith("#"):
        return rich_name
    return f"ansi_{rich_name}"


def _rich_colour(value: str) -> str:
    return value.removeprefix("ansi_") if value.startswith("ansi_") else value


def _check_colour(key: str, value: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError:
        raise BrokenTheme(f"{key} = {display(value, 40)!r} is not a colour; write it like #1f6feb.") from None


def _style(role: str, text: str, names: dict[str, str]) -> Style:
    words = [names.get(word, word) for word in text.split()]
    try:
        return Style.parse(" ".join(words)) if words else Style.null()
    except StyleSyntaxError:
        raise BrokenTheme(
            f"role {role} = {display(text, 40)!r} is not a style; write it like 'bold #d29922 on #161b22'."
        ) from None


def _strings(table: object, name: str) -> dict[str, str]:
    if not isinstance(table, dict):
        raise BrokenTheme(f"it needs a table [{name}].")
    for key, value in table.items():
        if not isinstance(value, str):
            raise BrokenTheme(f"[{name}] {display(str(key), 40)} must be text.")
    return table


@cache
def built_in() -> Look:
    """The default in code, so that no missing file can leave the console without colours."""
    return build_look(
        DEFAULT,
        {
            "title": "Harbour: dark and calm",
            "base": {
                "primary": "#6cb6ff",
                "secondary": "#39526b",
                "accent": "#e6b455",
                "foreground": "#c5cdd8",
                "background": "#0f1419",
                "surface": "#141a21",
                "panel": "#1b232d",
                "success": "#5fbf7f",
                "warning": "#e08f4f",
                "error": "#e5646c",
            },
        },
    )


def look_of(app: object) -> Look:
    """The look of this app; a widget shown in any other Textual app gets the built-in one."""
    look = getattr(app, "look", None)
    return look if isinstance(look, Look) else built_in()
