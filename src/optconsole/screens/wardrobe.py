"""All the looks there are, and the file of the present one watched for changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optconsole.screens.theming import DEFAULT, MONOCHROME, Look, load_themes, read_theme


class Wardrobe:
    """Looks by name from several folders; later folders win. ``problems`` are sentences for the trader."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.looks, self.problems = load_themes(folders)
        self._seen: tuple[Path, int] | None = None

    def choose(self, wanted: str | None, no_color: bool) -> str:
        """The name of the look to start with; an unknown one leaves the default and a problem to tell."""
        name = wanted or (MONOCHROME if no_color else DEFAULT)
        if name in self.looks:
            return name
        self.problems.append(f"There is no theme {name!r}; there are {', '.join(sorted(self.looks))}.")
        return DEFAULT

    def changed(self, name: str) -> Look | None:
        """The look read anew when its file has changed since the last call, else None. Raises BrokenTheme."""
        path = next((p for p in (folder / f"{name}.toml" for folder in reversed(self._folders)) if p.is_file()), None)
        if path is None:
            return None
        stamp = (path, path.stat().st_mtime_ns)
        before, self._seen = self._seen, stamp
        if before in (None, stamp) or before[0] != path:
            return None
        self.looks[name] = read_theme(path)
        return self.looks[name]
