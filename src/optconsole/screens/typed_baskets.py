"""Baskets and runs as they are typed on the ``:`` line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from optconsole.engine.commands import RunAction
from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.templates import TEMPLATES
from optconsole.screens.typed_names import choice, near
from optconsole.screens.wishes import BasketWish, Known, RunWish, Signal, Wish

ON_ONE: Final = ("start", "pause", "stop", "exit", "edit", "archive", "show")
"""What is done with one basket, by name alone."""
TO: Final = {"clone": "to", "export": "to"}
"""What takes a second name, and the word before it."""
BASKET_VERBS: Final = (*ON_ONE, *TO, "import", "new")
RUN_VERBS: Final = (*(action.value for action in RunAction), "edit", "why")
OF_A_LEG: Final = ("exit", "why")


def read_basket_words(words: list[str], known: Known) -> Wish:
    """``start short straddle``, ``clone short straddle to mine``, ``import path``, ``new iron condor``.

    Raises Refusal.
    """
    if not words:
        raise Refusal("VERB_MISSING", f"Say what to do with a basket: {', '.join(BASKET_VERBS)}.")
    verb, rest = choice(words[0], BASKET_VERBS, "command of baskets"), words[1:]
    if verb == "import":
        if not rest:
            raise Refusal("FILE_MISSING", "Name the file, like basket import straddle.toml.")
        return BasketWish(verb, to=" ".join(rest))
    if verb == "new":
        return BasketWish(verb, to=choice(" ".join(rest), tuple(TEMPLATES), "structure") if rest else "")
    if verb in TO:
        return _to(verb, rest, known)
    if not rest:
        raise Refusal("BASKET_MISSING", f"Name a basket{near('', known.baskets)}.")
    return BasketWish(verb, choice(" ".join(rest), known.baskets, "basket"))


def _to(verb: str, words: Sequence[str], known: Known) -> Wish:
    """The name, and behind the last ``to`` what is new."""
    at = max((place for place, word in enumerate(words) if word.lower() == TO[verb]), default=0)
    if not at or at == len(words) - 1:
        what = "a new name" if verb == "clone" else "a file"
        raise Refusal("TO_MISSING", f"Name a basket and, after the word to, {what}.")
    return BasketWish(verb, choice(" ".join(words[:at]), known.baskets, "basket"), " ".join(words[at + 1 :]))


def read_run_words(words: list[str], known: Known) -> Wish:
    """``skip R3``, ``exit R3 ce``. Raises Refusal."""
    if len(words) < 2:
        raise Refusal("RUN_MISSING", f"Say what to do and with which run: {', '.join(RUN_VERBS)}, then R1 or so.")
    verb, run = choice(words[0], RUN_VERBS, "command of runs"), choice(words[1], known.runs, "run")
    leg = " ".join(words[2:])
    if leg and verb not in OF_A_LEG:
        raise Refusal("UNKNOWN_WORD", f"Only {' and '.join(OF_A_LEG)} take a leg; leave out {leg!r}.")
    return RunWish(verb, run, leg)


def read_signal(words: list[str], _known: Known) -> Wish:
    """``breakout``. Raises Refusal."""
    if not words:
        raise Refusal("SIGNAL_MISSING", "Name the signal, as the strategy does that waits for it.")
    return Signal(" ".join(words))


def basket_words(before: list[str], known: Known) -> list[str]:
    """What may follow: what to do, then a basket or a structure, word by word."""
    if not before:
        return list(BASKET_VERBS)
    verb, rest = before[0].lower(), before[1:]
    names = tuple(TEMPLATES) if verb == "new" else known.baskets
    if verb == "import" or verb not in BASKET_VERBS:
        return []
    if " ".join(rest) in names:
        return [TO[verb]] if verb in TO else []
    return _next_words(rest, names)


def _next_words(before: Sequence[str], names: Sequence[str]) -> list[str]:
    """The next word of the names that begin with these words."""
    found = []
    for name in names:
        words = name.split(" ")
        begun = [word.lower() for word in words[: len(before)]] == [word.lower() for word in before]
        if begun and len(words) > len(before):
            found.append(words[len(before)])
    return list(dict.fromkeys(found))


def run_words(before: list[str], known: Known) -> list[str]:
    """What may follow: what to do, then a run."""
    return list(RUN_VERBS) if not before else list(known.runs) if len(before) == 1 else []
