"""Where each world keeps its things in the home, and which database holds its journal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PRACTICE: Final = "practice"


@dataclass(frozen=True, slots=True)
class Place:
    """A world's name, its folder, and its journal's URL."""

    world: str
    folder: Path
    url: str

    @property
    def ledger(self) -> Path:
        """The paper exchange's own book."""
        return self.folder / "exchange.db"


def practice(home: Path, seed: int, usual_seed: int, store_url: str) -> Place:
    """The practice market's place. Another seed is another market, so it keeps its own book."""
    world = PRACTICE if seed == usual_seed else f"{PRACTICE}-{seed}"
    return _place(world, home / world, store_url)


def replay_runs(home: Path, recording: str) -> list[Path]:
    """Folders of the earlier runs of a recording, oldest first."""
    root = home / "replay" / recording
    runs = [path for path in root.iterdir() if path.is_dir() and path.name.isdigit()] if root.is_dir() else []
    return sorted(runs, key=lambda path: int(path.name))


def replay(home: Path, recording: str, run: int, store_url: str) -> Place:
    """The place of one run of a recording."""
    return _place(f"replay-{recording}-{run}", home / "replay" / recording / str(run), store_url)


def _place(world: str, folder: Path, store_url: str) -> Place:
    # The home's lock has set the umask, so every folder made here is private.
    folder.mkdir(parents=True, exist_ok=True)
    return Place(world, folder, store_url or f"sqlite:///{folder / 'journal.db'}")
