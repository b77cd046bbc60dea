"""Where things lie: what ships with the package, and the folder that holds all state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CONFIG_NAME = "config.toml"
"""The settings' file in the home."""


def package_data() -> Path:
    """The package's own folder: styles, migrations and dated tables lie beside the code that reads them."""
    return Path(__file__).resolve().parent


def themes_dir() -> Path:
    """The folder of ``*.toml`` themes: inside an installed package, at the top of a checkout."""
    packed = package_data() / "themes"
    return packed if packed.is_dir() else package_data().parents[1] / "themes"


def home_dir(chosen: str | None, environ: Mapping[str, str]) -> Path:
    """The folder of all state: ``--home``, else ``OPTCONSOLE_HOME``, else the user's state folder (XDG)."""
    named = chosen or environ.get("OPTCONSOLE_HOME")
    if named:
        return Path(named).expanduser()
    base = environ.get("XDG_STATE_HOME")
    # the XDG rule: a relative value is to be ignored
    root = Path(base) if base and base.startswith("/") else Path("~/.local/state").expanduser()
    return root / "optconsole"
