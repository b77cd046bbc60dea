"""Names as they are typed: contracts, scopes, and what may have been meant by a word that is none. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Final

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right, choose_expiry, contract_name, expiry_code, parse_contract
from optconsole.engine.model.money import paise, rupees
from optconsole.screens.wishes import Known

LIKENESS: Final = 0.6
"""Of two words (difflib's ratio) from which one may have been meant for the other."""
NAMED: Final = 24
"""Names in one sentence."""
_STRIKE: Final = re.compile(r"\d+(\.\d{1,2})?", re.ASCII)
_JOINED: Final = re.compile(r"(\d+(?:\.\d{1,2})?)(CE|PE)", re.ASCII)


def near(word: str, names: Sequence[str]) -> str:
    """What may have been meant: names that begin so, else the one most like it, else all there are."""
    if not names:
        return "; there is none"
    begun = [name for name in names if word and name.lower().startswith(word.lower())]
    if found := begun or get_close_matches(word, names, n=1, cutoff=LIKENESS):
        return f"; did you mean {' or '.join(found[:3])}"
    more = " …" if len(names) > NAMED else ""
    return f"; there are {', '.join(names[:NAMED])}{more}"


def choice(word: str, names: Sequence[str], what: str) -> str:
    """The one of the names that was typed, in its own letters. Raises Refusal(UNKNOWN_NAME)."""
    for name in names:
        if name.lower() == word.lower():
            return name
    raise Refusal("UNKNOWN_NAME", f"There is no {what} {word!r}{near(word, names)}.")


def read_contract(words: list[str], known: Known) -> tuple[str, list[str]]:
    """A canonical contract name and the words after it; without an expiry the nearest one is meant.

    Raises Refusal.
    """
    if not words:
        raise Refusal("CONTRACT_MISSING", "Name a contract, like NIFTY 25NOV26 24500 CE, or NIFTY 24500 CE.")
    underlying = choice(words[0], list(known.expiries), "underlying").upper()
    rest = [piece.upper() for piece in words[1:]]
    expiry = known.expiries[underlying][0] if known.expiries[underlying] else None
    if rest and not _STRIKE.fullmatch(rest[0]) and not _JOINED.fullmatch(rest[0]) and rest[0] != "FUT":
        expiry = choose_expiry(rest.pop(0), known.expiries[underlying])
        if expiry not in known.expiries[underlying]:
            listed = [expiry_code(day) for day in known.expiries[underlying]]
            raise Refusal(
                "UNKNOWN_EXPIRY",
                f"{underlying} has no expiry {expiry_code(expiry)}; there are {', '.join(listed[:6])}.",
            )
    if expiry is None or not rest:
        raise Refusal("STRIKE_MISSING", f"Say which {underlying} contract: a strike and CE or PE, or FUT.")
    if rest[0] == "FUT":
        return _listed(contract_name(underlying, expiry), words, len(words) - len(rest) + 1, known)
    if joined := _JOINED.fullmatch(rest[0]):
        rest[:1] = [joined[1], joined[2]]
        words = [*words[: len(words) - len(rest) + 1], *rest]
    if len(rest) < 2 or not _STRIKE.fullmatch(rest[0]) or rest[1] not in ("CE", "PE"):
        raise Refusal("STRIKE_MISSING", f"After {underlying} comes a strike and CE or PE, like 24500 CE, or FUT.")
    name = contract_name(underlying, expiry, paise(rest[0]), Right(rest[1]))
    return _listed(name, words, len(words) - len(rest) + 2, known)


def _listed(name: str, words: list[str], used: int, known: Known) -> tuple[str, list[str]]:
    family = name.rsplit(" ", 2)[0]
    siblings = [contract for contract in known.contracts if contract.startswith(family + " ")]
    if siblings and name not in known.contracts:
        raise Refusal("UNKNOWN_CONTRACT", f"{name} is not listed; {_nearest(name, siblings)}.")
    return name, words[used:]


def _nearest(name: str, siblings: Sequence[str]) -> str:
    """The strikes of the same expiry and right on both sides of the one asked for."""
    asked = parse_contract(name)
    if asked.strike is None:
        return f"{asked.underlying} has no future of that expiry"
    read = map(parse_contract, siblings)
    strikes = sorted(each.strike for each in read if each.strike is not None and each.right is asked.right)
    place = bisect_left(strikes, asked.strike)
    around = [f"{rupees(strike):f}".removesuffix(".00") for strike in strikes[max(place - 1, 0) : place + 1]]
    return f"the nearest strikes are {' and '.join(around)}" if around else "that expiry has no such options"


def read_scope(words: list[str], known: Known) -> Scope:
    """``all``, an underlying, an account, or a contract. Raises Refusal."""
    text = " ".join(words)
    if not words or text.lower() == "all":
        return Scope()
    if len(words) == 1 and words[0].upper() in known.expiries:
        return Scope(ScopeKind.UNDERLYING, words[0].upper())
    if text in known.accounts:
        return Scope(ScopeKind.ACCOUNT, text)
    if len(words) > 1:
        name, rest = read_contract(words, known)
        if not rest:
            return Scope(ScopeKind.CONTRACT, name)
    names = ["all", *known.expiries, *known.accounts]
    raise Refusal("UNKNOWN_SCOPE", f"{text!r} is nothing that can be closed{near(text, names)}.")


def contract_words(before: list[str], known: Known) -> list[str]:
    """The next part of a contract's name after the parts that stand."""
    if not before:
        return list(known.expiries)
    parts = [word.upper() for word in before]
    days = known.expiries.get(parts[0], ())
    if len(parts) == 1:
        return [expiry_code(day) for day in days]
    if days and _STRIKE.fullmatch(parts[1]):
        parts.insert(1, expiry_code(days[0]))
    else:
        with suppress(Refusal):
            parts[1] = expiry_code(choose_expiry(parts[1], days))
    prefix = " ".join(parts) + " "
    found = [name.removeprefix(prefix).split(" ")[0] for name in known.contracts if name.startswith(prefix)]
    if found:
        return list(dict.fromkeys(found))
    return ["@", "mkt", "sl", "slm"] if parts[-1] in ("CE", "PE", "FUT") else []
