"""The program's door. Nothing heavy is imported here: the first byte must be out before that starts."""

from __future__ import annotations

import gc
import os
import sys

from optconsole import __version__

_TAKES_VALUE = frozenset(("--replay", "--speed", "--from", "--until", "--screen", "--home", "--seed", "--rate"))
_NO_SCREEN = frozenset(("-h", "--help", "--version", "--json"))
_ERASE_BELOW = "\x1b[J"


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 refused or failed, 2 bad usage, 130 interrupted."""
    args = sys.argv[1:] if argv is None else argv
    if args == ["--version"]:
        print(f"optconsole {__version__}")  # noqa: T201  the answer itself
        return 0
    screen = opens_screen(args)
    if screen:
        # what a start imports stays; the console collects once its first screen stands
        gc.disable()
    splashed = screen and _splash()
    try:
        # the pulse sets the pace of painting; Textual's own limit would only delay it
        os.environ.setdefault("TEXTUAL_FPS", "1000")
        from optconsole.cli.main import run

        return run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader of a pipe left; without this the interpreter complains when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        if os.environ.get("OPTCONSOLE_DEBUG"):
            raise
        sys.stderr.write(_incident(error, args) + "\n")
        return 1
    finally:
        gc.enable()
        if splashed:
            os.write(1, _ERASE_BELOW.encode())


def opens_screen(args: list[str]) -> bool:
    """Whether these arguments open the full-screen console: no subcommand, or ``attach``."""
    rest = iter(args)
    for arg in rest:
        if arg in _NO_SCREEN:
            return False
        if arg in _TAKES_VALUE:
            next(rest, None)
        elif not arg.startswith("-"):
            return arg == "attach" and not _NO_SCREEN.intersection(args)
    return True


def _splash() -> bool:
    """One line below the cursor, so that a refusal printed later stands alone above it."""
    if os.environ.get("TERM", "dumb") == "dumb" or not os.isatty(1):
        return False
    os.write(1, f"\r\n  optconsole {__version__}  opening …\x1b[A\r".encode())
    return True


def _incident(error: Exception, args: list[str]) -> str:
    from itertools import pairwise

    from optconsole.incident import report
    from optconsole.paths import home_dir

    spelled = [*pairwise(args), *(tuple(arg.split("=", 1)) for arg in args if "=" in arg)]
    chosen = next((value for name, value in spelled if name == "--home"), None)
    return report(error, args, home_dir(chosen, os.environ))


if __name__ == "__main__":
    sys.exit(main())
