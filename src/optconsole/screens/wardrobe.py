"""All the looks there are, and the file of the present one watched for changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from optconsole.screens.theming import DEFAULT, MONOCHROME, SIXTEEN, BrokenTheme, Look, load_themes, read_theme


class Wardrobe:
    """Looks by name from several folders; later folders win. ``problems`` are sentences for the trader.

    Empty at first: ``choose`` reads the look to start with, ``fill`` all the others.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.looks: dict[str, Look] = {}
        self.problems: list[str] = []
        self._seen: tuple[Path, int] | None = None

    def choose(self, wanted: str | None, *, no_color: bool, remote: bool = False) -> str:
        """The name of the look to start with; an unknown one leaves the default and a problem to tell.

        Over a network it is that of sixteen colours, whose codes are a third as long.
        """
        name = wanted or (MONOCHROME if no_color else SIXTEEN if remote else DEFAULT)
        for path in self._files(name):
            # what is wrong with a file is told by ``fill``
            with suppress(BrokenTheme):
                self.looks[name] = read_theme(path)
                return name
        self.fill()
        if name in self.looks:
            return name
        self.problems.append(f"There is no theme {name!r}; there are {', '.join(sorted(self.looks))}.")
        return DEFAULT

    def fill(self) -> None:
        """Read every look there is, once the first frame is out."""
        self.looks, problems = load_themes(self._folders)
        self.problems += [problem for problem in problems if problem not in self.problems]

    def _files(self, name: str) -> list[Path]:
        """The files of this look, the one that wins first."""
        paths = [folder / f"{name}.toml" for folder in reversed(self._folders)]
        return [path for path in paths if path.stem == name and path.is_file()]

    def changed(self, name: str) -> Look | None:
        """The look read anew when its file has changed since the last call, else None. Raises BrokenTheme."""
        path = next(iter(self._files(name)), None)
        if path is None:
            return None
        stamp = (path, path.stat().st_mtime_ns)
        before, self._seen = self._seen, stamp
        if before in (None, stamp) or before[0] != path:
            return None
        self.looks[name] = read_theme(path)
        return self.looks[name]
