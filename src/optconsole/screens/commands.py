"""The ``:`` line: words into what is asked for, with completion and one sentence for every mistake. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import choose_expiry
from optconsole.engine.model.orders import Side
from optconsole.screens.typed_baskets import (
    basket_words,
    read_basket_words,
    read_run_words,
    read_signal,
    run_words,
)
from optconsole.screens.typed_limits import limit_words, read_limit, read_state, read_unlimit, state_words
from optconsole.screens.typed_names import NAMED, choice, contract_words, near, read_scope
from optconsole.screens.typed_trades import read_trade
from optconsole.screens.wishes import (
    Cancel,
    Close,
    Kill,
    Known,
    Leave,
    Modify,
    Release,
    Show,
    Steer,
    UseTheme,
    Wish,
)


@dataclass(frozen=True, slots=True)
class Verb:
    """One command: how it is written, what it does, how its words are read."""

    name: str
    usage: str
    does: str
    read: Callable[[list[str], Known], Wish]


# ---------------------------------------------------------------- reading


def parse(line: str, known: Known) -> Wish:
    """What a line asks for. Raises Refusal with what is wrong and what is nearest to it."""
    words = line.strip().removeprefix(":").split()
    if not words:
        raise Refusal("EMPTY", f"Type a command: {', '.join(VERBS)}.")
    verb = VERBS.get(words[0].lower())
    if verb is None:
        raise Refusal("UNKNOWN_COMMAND", f"There is no command {words[0]!r}{near(words[0].lower(), list(VERBS))}.")
    return verb.read(words[1:], known)


def usage(line: str) -> str:
    """How the command that a line begins with is written, empty for none."""
    words = line.strip().removeprefix(":").split()
    verb = VERBS.get(words[0].lower()) if words else None
    return f"{verb.usage}   {verb.does}" if verb else ""


def _exit(words: list[str], known: Known) -> Wish:
    if not words:
        raise Refusal(
            "SCOPE_MISSING", "Say what to exit: an underlying, a contract, an account, or use flatten for all."
        )
    return _close(words, known)


def _close(words: list[str], known: Known) -> Wish:
    percent = 100
    if words and words[-1].endswith("%"):
        figure = words[-1][:-1]
        if not (figure.isascii() and figure.isdigit() and 0 < int(figure) <= 100):
            raise Refusal("BAD_PERCENT", f"{words[-1]!r} is not a share; give 1% to 100%.")
        percent, words = int(figure), words[:-1]
    return Close(read_scope(words, known), percent)


def _cancel(words: list[str], known: Known) -> Wish:
    if not words:
        raise Refusal("SCOPE_MISSING", "Say what to cancel: an order such as O12, an underlying, or all.")
    if len(words) == 1 and words[0].upper() in known.orders:
        return Cancel(words[0].upper())
    if len(words) == 1 and re.fullmatch(r"[OoPp]\d+", words[0]):
        others = f"these are: {', '.join(known.orders[:NAMED])}" if known.orders else "no order is"
        raise Refusal("NOT_WORKING", f"{words[0].upper()} is not working; {others}.")
    return Cancel(scope=read_scope(words, known))


def _modify(words: list[str], known: Known) -> Wish:
    if len(words) != 1:
        raise Refusal("ORDER_MISSING", "Name one working order, such as modify O12.")
    return Modify(choice(words[0], known.orders, "working order"))


def _show(words: list[str], known: Known) -> Wish:
    if not words:
        raise Refusal("SCREEN_MISSING", f"Name a screen: {', '.join(known.screens)}.")
    screen = choice(words[0], known.screens, "screen")
    if len(words) == 1:
        return Show(screen)
    if screen != "chain":
        raise Refusal("UNKNOWN_WORD", f"Only the chain takes an underlying; {screen} stands alone.")
    underlying = choice(words[1], list(known.expiries), "underlying")
    expiry = choose_expiry(words[2], known.expiries[underlying]) if len(words) > 2 else None
    return Show(screen, underlying, expiry)


def _theme(words: list[str], known: Known) -> Wish:
    if len(words) != 1:
        raise Refusal("THEME_MISSING", f"Name a theme: {', '.join(known.themes)}.")
    return UseTheme(choice(words[0], known.themes, "theme"))


def _kill(words: list[str], _known: Known) -> Wish:
    return Kill(" ".join(words))


def _release(words: list[str], _known: Known) -> Wish:
    if words != ["UNLOCK"]:
        raise Refusal("NOT_UNLOCKED", "Write release UNLOCK, in capitals, to allow new risk again.")
    return Release("UNLOCK")


def _to(words: list[str], _known: Known) -> Wish:
    if len(words) != 1 or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", words[0], re.ASCII):
        raise Refusal("BAD_TIME", "Give a market time after to, like to 15:00 or to 09:20:30.")
    return Steer("to", until=words[0])


def _pause(words: list[str], _known: Known) -> Wish:
    return _alone(words, Steer("pause"), "pause")


def _resume(words: list[str], _known: Known) -> Wish:
    if not words:
        return Steer("resume")
    text = "0" if words[0].lower() == "max" else words[0]
    if len(words) > 1 or not re.fullmatch(r"\d{1,5}(\.\d+)?", text, re.ASCII):
        raise Refusal("BAD_SPEED", "Give a speed after resume, like resume 10, or resume max.")
    return Steer("resume", speed=float(text))


def _quit(words: list[str], _known: Known) -> Wish:
    return _alone(words, Leave(), "quit")


def _alone(words: list[str], wish: Wish, name: str) -> Wish:
    if words:
        raise Refusal("UNKNOWN_WORD", f"{name} stands alone; leave out {' '.join(words)!r}.")
    return wish


VERBS: Final[dict[str, Verb]] = {
    verb.name: verb
    for verb in (
        Verb(
            "buy", "buy [LOTS] CONTRACT [@ P | mkt | sl T P | slm T]", "opens the ticket to buy", read_trade(Side.BUY)
        ),
        Verb(
            "sell",
            "sell [LOTS] CONTRACT [@ P | mkt | sl T P | slm T]",
            "opens the ticket to sell",
            read_trade(Side.SELL),
        ),
        Verb("exit", "exit UNDERLYING | CONTRACT | ACCOUNT [50%]", "closes what is open there", _exit),
        Verb("flatten", "flatten [all | SCOPE] [50%]", "closes everything", _close),
        Verb("cancel", "cancel ORDER | all | SCOPE", "cancels what works", _cancel),
        Verb("modify", "modify ORDER", "opens the ticket on a working order", _modify),
        Verb(
            "limit",
            "limit LEVEL[:NAME] KIND VALUE [ACTION] [because WHY]",
            "sets a limit, as :limit global max-loss 25000 exit-scope",
            read_limit,
        ),
        Verb("unlimit", "unlimit LEVEL[:NAME] KIND [because WHY]", "takes a limit away", read_unlimit),
        Verb(
            "state",
            "state LEVEL[:NAME] active | reducing | halted [because WHY]",
            "says what orders may leave",
            read_state,
        ),
        Verb(
            "basket",
            "basket start | pause | stop | exit | edit | archive NAME, clone | export NAME to NEW, import FILE, new",
            "does something with a basket",
            read_basket_words,
        ),
        Verb(
            "run",
            "run now | skip | approve | exit | halt | resume | edit | why RUN [LEG]",
            "steers a run",
            read_run_words,
        ),
        Verb("signal", "signal NAME", "tells the runs that wait for it", read_signal),
        Verb("go", "go SCREEN [UNDERLYING [EXPIRY]]", "shows a screen", _show),
        Verb("screen", "screen NAME", "shows a screen", _show),
        Verb("theme", "theme NAME", "changes the colours", _theme),
        Verb("kill", "kill [WHY]", "cancels everything, flattens, refuses new risk", _kill),
        Verb("release", "release UNLOCK", "allows new risk again", _release),
        Verb("to", "to HH:MM[:SS]", "plays the market to a time", _to),
        Verb("pause", "pause", "holds the market's clock", _pause),
        Verb("resume", "resume [SPEED | max]", "lets the market's clock run", _resume),
        Verb("quit", "quit", "leaves the console", _quit),
    )
}


# ---------------------------------------------------------------- completing


def complete(line: str, known: Known) -> list[str]:
    """Words that may stand where the line ends, as they would be written."""
    words = line.lstrip().removeprefix(":").split(" ")
    start, before = words[-1], [word for word in words[:-1] if word]
    if not before:
        return [name for name in VERBS if name.startswith(start.lower())]
    candidates = _candidates(before[0].lower(), before[1:], known)
    return [name for name in candidates if name.lower().startswith(start.lower())]


def _candidates(verb: str, before: list[str], known: Known) -> list[str]:
    first = not before
    simple: dict[str, tuple[str, ...]] = {
        "theme": known.themes,
        "modify": known.orders,
        "release": ("UNLOCK",),
        "screen": known.screens,
    }
    if verb in simple:
        return list(simple[verb]) if first else []
    if verb == "go":
        return list(known.screens) if first else contract_words(before[1:], known) if before[0] == "chain" else []
    if verb in ("buy", "sell"):
        return contract_words(before[1:] if before and before[0].isdigit() else before, known)
    if verb in ("limit", "unlimit"):
        return limit_words(before, known, valued=verb == "limit")
    if verb == "state":
        return state_words(before, known)
    if verb in ("basket", "run"):
        return basket_words(before, known) if verb == "basket" else run_words(before, known)
    if verb in ("exit", "flatten", "cancel"):
        names = [*known.orders] if verb == "cancel" else []
        return [*names, "all", *known.accounts, *known.expiries] if first else contract_words(before, known)
    return []
