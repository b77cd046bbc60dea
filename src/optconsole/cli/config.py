"""``optconsole config show|check``."""

from __future__ import annotations

import argparse
import os

from optconsole.cli.arguments import Parser
from optconsole.cli.output import DONE, Output, table
from optconsole.config import read
from optconsole.engine.model.errors import Refusal
from optconsole.paths import home_dir, themes_dir


def arguments(parser: Parser) -> None:
    verbs = parser.verbs()
    verbs.add_parser("show", help="every setting with its value and where it comes from; secrets are masked")
    verbs.add_parser("check", help="whether the configuration can be used")


def run(args: argparse.Namespace, out: Output) -> int:
    """Show or check the configuration of a home. Raises Refusal for the first thing wrong."""
    found = read(home_dir(args.home, os.environ))
    settings = found.settings
    if args.verb == "show":
        shown = list(found.effective())
        document = {
            "file": str(found.path),
            "exists": bool(found.text),
            "settings": {each.key: {"value": each.value, "origin": each.origin} for each in shown},
        }
        rows = [(each.key, _text(each.value), each.origin) for each in shown]
        out.document(document, *table(("setting", "value", "from"), rows, left=3))
        return DONE
    _check_theme(settings.ui.theme)
    _check_store(settings.store.url)
    _check_keys(dict(settings.keys))
    said = "is in order" if found.text else "is not there; every setting has its default"
    out.document({"ok": True, "file": str(found.path)}, f"{found.path} {said}.")
    return DONE


def _text(value: object) -> str:
    if value is None:
        return "(unset)"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_theme(name: str | None) -> None:
    known = sorted(path.stem for path in themes_dir().glob("*.toml"))
    if name is not None and name not in known:
        raise Refusal("CONFIG_VALUE", f"ui.theme is {name!r}, which is not a theme; use one of {', '.join(known)}.")


def _check_store(url: str) -> None:
    if url:
        from optconsole.engine.store.database import store_url

        store_url(url)


def _check_keys(keys: dict[str, str]) -> None:
    if not keys:
        return
    from optconsole.cli.arguments import nearest
    from optconsole.screens.keymap import Keymap
    from optconsole.screens.keys import KEYS

    known = {key.id for key in KEYS}
    for name in keys:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else "the help screen lists them."
            raise Refusal("CONFIG_KEY", f"keys.{name} is not a binding; {hint}")
    clashes = Keymap(keys).clashes()
    if clashes:
        raise Refusal("CONFIG_VALUE", clashes[0])
