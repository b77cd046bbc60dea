"""``python -m tests.e2e.faulty_console …``: the console, with a fault in what opens its help."""

from __future__ import annotations

import sys

from optconsole.screens.base import ConsoleScreen

CANARY = "canary-8c1f2e"
TOLD = "token=canary-5d7a90"


def fail(screen: ConsoleScreen) -> None:
    secret = CANARY
    raise RuntimeError(f"the broker refused {TOLD} after {len(secret)} tries \x1b]0;owned\x07")


if __name__ == "__main__":
    ConsoleScreen.action_show_help = fail  # type: ignore[method-assign]
    from optconsole.__main__ import main

    sys.exit(main(sys.argv[1:]))
