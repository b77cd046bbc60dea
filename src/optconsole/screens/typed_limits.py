"""Limits and trading states as they are typed on the ``:`` line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import LimitAction, LimitKind, Standing
from optconsole.screens import limit_words as written
from optconsole.screens.typed_names import near
from optconsole.screens.wishes import DropLimit, Known, PutLimit, Stand, Wish

BECAUSE: Final = "because"
_KINDS: Final = tuple(kind.value for kind in LimitKind)
_STANDINGS: Final = tuple(standing.value for standing in Standing)


def read_limit(words: list[str], _known: Known) -> Wish:
    """``global max-loss 25000 exit-scope because the week is won``. Raises Refusal."""
    said, why = _parted(words)
    return PutLimit(written.read_limit(" ".join(said)), why)


def read_unlimit(words: list[str], _known: Known) -> Wish:
    """``global max-loss because ...``. Raises Refusal."""
    said, why = _parted(words)
    if len(said) < 2 or said[-1].lower() not in _KINDS:
        hint = near(said[-1].lower(), _KINDS) if len(said) > 1 else ""
        raise Refusal("BAD_LIMIT", f"Name the limit to take away: a level and a kind, like global max-loss{hint}.")
    level, name = written.read_scope(" ".join(said[:-1]))
    return DropLimit(level, LimitKind(said[-1].lower()), name, why)


def read_state(words: list[str], _known: Known) -> Wish:
    """``global halted because news at two``. Raises Refusal."""
    said, why = _parted(words)
    if len(said) < 2 or said[-1].lower() not in _STANDINGS:
        raise Refusal("BAD_STATE", f"Give a level and one of {', '.join(_STANDINGS)}, like state global halted.")
    level, name = written.read_scope(" ".join(said[:-1]))
    return Stand(level, Standing(said[-1].lower()), name, why)


def _parted(words: Sequence[str]) -> tuple[list[str], str]:
    """What is asked for, and the reason behind ``because``."""
    at = next((place for place, word in enumerate(words) if word.lower() == BECAUSE), len(words))
    return list(words[:at]), " ".join(words[at + 1 :])


def limit_words(before: list[str], known: Known, *, valued: bool) -> list[str]:
    """What may follow: a level, a kind, and where a value was ``valued`` an action; then the reason."""
    if not before:
        return _levels(known)
    kind = next((place for place, word in enumerate(before) if word.lower() in _KINDS), None)
    if kind is None:
        return list(_KINDS)
    after = before[kind + 1 :]
    if valued and not after:
        return []
    actions = [action.value for action in LimitAction] if valued and len(after) == 1 else []
    return [*actions, BECAUSE] if BECAUSE not in after else []


def state_words(before: list[str], known: Known) -> list[str]:
    """What may follow: a level, a state, the reason."""
    if not before:
        return _levels(known)
    if before[-1].lower() in _STANDINGS:
        return [BECAUSE]
    return [] if BECAUSE in before else list(_STANDINGS)


def _levels(known: Known) -> list[str]:
    return ["global", "order", *(f"account:{name}" for name in known.accounts)]
