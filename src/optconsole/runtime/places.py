"""Where each world keeps its things in the home, and which database holds its journal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from optconsole.engine.model.errors import Refusal

PRACTICE: Final = "practice"
LIVE: Final = "live"


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

    @property
    def label(self) -> str:
        """The world's name as ``optconsole db --world`` takes it."""
        return (
            f"replay/{self.folder.parent.name}/{self.folder.name}" if self.world.startswith("replay-") else self.world
        )

    @property
    def is_new(self) -> bool:
        """True where no journal was ever kept here, as far as a file can tell."""
        return self.url.startswith("sqlite") and not Path(self.url.partition("///")[2]).exists()


def practice(home: Path, seed: int, usual_seed: int, store_url: str) -> Place:
    """The practice market's place. Another seed is another market, so it keeps its own book."""
    world = PRACTICE if seed == usual_seed else f"{PRACTICE}-{seed}"
    return _place(world, home / world, store_url)


def live(home: Path, store_url: str) -> Place:
    """The real market's place: one book for all accounts."""
    return _place(LIVE, home / LIVE, store_url)


def replay_runs(home: Path, recording: str) -> list[Path]:
    """Folders of the earlier runs of a recording, oldest first."""
    root = home / "replay" / recording
    runs = [path for path in root.iterdir() if path.is_dir() and path.name.isdigit()] if root.is_dir() else []
    return sorted(runs, key=lambda path: int(path.name))


def replay(home: Path, recording: str, run: int, store_url: str) -> Place:
    """The place of one run of a recording."""
    return _place(f"replay-{recording}-{run}", home / "replay" / recording / str(run), store_url)


def named(home: Path, name: str, store_url: str, usual_seed: int) -> Place:
    """The place of a world by its name: ``live``, ``practice``, ``practice-SEED``, ``replay/NAME/RUN``.

    Raises Refusal(NO_SUCH_WORLD) for any other, and for a replay that never ran.
    """
    if name == PRACTICE:
        return practice(home, usual_seed, usual_seed, store_url)
    if name == LIVE:
        return live(home, store_url)
    seed = re.fullmatch(rf"{PRACTICE}-([0-9]{{1,12}})", name)
    if seed:
        return practice(home, int(seed[1]), usual_seed, store_url)
    run = re.fullmatch(r"replay/([a-z0-9_]{1,60})/([0-9]{1,6})", name)
    if run and (home / name).is_dir():
        return replay(home, run[1], int(run[2]), store_url)
    raise Refusal(
        "NO_SUCH_WORLD",
        f"{name!r} is no world of {home}; name live, practice, practice-SEED or a run as replay/NAME/RUN.",
    )


def _place(world: str, folder: Path, store_url: str) -> Place:
    # The home's lock has set the umask, so every folder made here is private.
    folder.mkdir(parents=True, exist_ok=True)
    return Place(world, folder, store_url or f"sqlite:///{folder / 'journal.db'}")
