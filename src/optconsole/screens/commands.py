"""The ``:`` line: words into what is asked for, with completion and one sentence for every mistake. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Final

from optconsole.engine.commands import Scope, ScopeKind
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.instruments import Right, choose_expiry, contract_name, expiry_code, parse_contract
from optconsole.engine.model.money import paise, rupees
from optconsole.engine.model.orders import OrderType, Product, Side, Validity

LIKENESS: Final = 0.6
"""Of two words (difflib's ratio) from which one may have been meant for the other."""
NAMED: Final = 16
"""Names in one sentence."""


@dataclass(frozen=True, slots=True)
class Trade:
    """Open the ticket with these terms. Prices in paise; None leaves the ticket's own first price."""

    side: Side
    contract: str
    lots: int = 1
    type: OrderType = OrderType.LIMIT
    price: int | None = None
    trigger: int | None = None
    product: Product | None = None
    validity: Validity = Validity.DAY


@dataclass(frozen=True, slots=True)
class Close:
    """Flatten a scope, after a question."""

    scope: Scope
    percent: int = 100


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel one order, or with an empty id all of the scope."""

    order_id: str = ""
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class Modify:
    """Open the ticket on a working order."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Show:
    """Show a screen; the chain with an underlying and an expiry."""

    screen: str
    underlying: str = ""
    expiry: date | None = None


@dataclass(frozen=True, slots=True)
class UseTheme:
    """Change the theme."""

    name: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Engage the kill switch."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Release the kill switch by typed text."""

    typed: str


@dataclass(frozen=True, slots=True)
class Steer:
    """Drive the practice clock or a replay: ``pause``, ``resume`` at a speed, ``to`` a time."""

    action: str
    until: str | None = None
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Quit the console."""


Wish = Trade | Close | Cancel | Modify | Show | UseTheme | Kill | Release | Steer | Leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What names may be completed and checked against. ``expiries`` by underlying, nearest first."""

    expiries: dict[str, tuple[date, ...]] = field(default_factory=dict)
    contracts: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    screens: tuple[str, ...] = ()


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
        raise Refusal("UNKNOWN_COMMAND", f"There is no command {words[0]!r}{_near(words[0].lower(), list(VERBS))}.")
    return verb.read(words[1:], known)


def usage(line: str) -> str:
    """How the command that a line begins with is written, empty for none."""
    words = line.strip().removeprefix(":").split()
    verb = VERBS.get(words[0].lower()) if words else None
    return f"{verb.usage}   {verb.does}" if verb else ""


def _near(word: str, names: Sequence[str]) -> str:
    """What may have been meant: names that begin so, else the one most like it, else all there are."""
    if not names:
        return "; there is none"
    begun = [name for name in names if word and name.lower().startswith(word.lower())]
    if found := begun or get_close_matches(word, names, n=1, cutoff=LIKENESS):
        return f"; did you mean {' or '.join(found[:3])}"
    more = " …" if len(names) > NAMED else ""
    return f"; there are {', '.join(names[:NAMED])}{more}"


def _choice(word: str, names: Sequence[str], what: str) -> str:
    for name in names:
        if name.lower() == word.lower():
            return name
    raise Refusal("UNKNOWN_NAME", f"There is no {what} {word!r}{_near(word, names)}.")


def _trade(side: Side) -> Callable[[list[str], Known], Wish]:
    def read(words: list[str], known: Known) -> Wish:
        lots = 1
        if words and words[0].isascii() and words[0].isdigit():
            lots, words = int(words[0]), words[1:]
            if not 0 < lots < 100_000:
                raise Refusal("BAD_QUANTITY", f"{lots} is not a number of lots; give 1 or more.")
        elif words and re.fullmatch(r"[-+]?[\d.,]+", words[0], re.ASCII):
            raise Refusal("BAD_QUANTITY", f"{words[0]!r} is not a number of lots; give a whole number from 1.")
        contract, rest = read_contract(words, known)
        return _with_price(Trade(side, contract, lots), rest)

    return read


_KINDS: Final = {
    "@": OrderType.LIMIT,
    "limit": OrderType.LIMIT,
    "mkt": OrderType.MARKET,
    "market": OrderType.MARKET,
    "sl": OrderType.SL,
    "slm": OrderType.SL_M,
    "sl-m": OrderType.SL_M,
}
_PRICES: Final = {OrderType.LIMIT: 1, OrderType.MARKET: 0, OrderType.SL: 2, OrderType.SL_M: 1}


def _with_price(trade: Trade, words: list[str]) -> Trade:
    """``@ 101.25``, ``mkt``, ``sl 126 127``, ``slm 126``; then ``mis``, ``nrml``, ``ioc``, ``day`` in any order."""
    kind, product, validity = OrderType.LIMIT, trade.product, trade.validity
    prices: list[int] = []
    seen = False
    rest = [piece for word in words for piece in (["@", word[1:]] if len(word) > 1 and word[0] == "@" else [word])]
    while rest:
        word = rest.pop(0).lower()
        if word in _KINDS and not seen:
            kind, seen = _KINDS[word], True
            need = _PRICES[kind]
            if len(rest) < need:
                raise Refusal("PRICE_MISSING", f"{word} needs {need} price{'s' if need > 1 else ''} after it.")
            prices, rest = [_price(each) for each in rest[:need]], rest[need:]
        elif word in ("mis", "nrml"):
            product = Product(word.upper())
        elif word in ("ioc", "day"):
            validity = Validity(word.upper())
        else:
            raise Refusal(
                "UNKNOWN_WORD", f"{word!r} is not understood here; use @ PRICE, mkt, sl TRIGGER LIMIT or slm TRIGGER."
            )
    trigger = prices[0] if kind.has_trigger else None
    price = prices[-1] if prices and kind in (OrderType.LIMIT, OrderType.SL) else None
    return Trade(trade.side, trade.contract, trade.lots, kind, price, trigger, product, validity)


def _price(word: str) -> int:
    price = paise(word)
    if price <= 0:
        raise Refusal("BAD_AMOUNT", f"{word!r} is not a price; give rupees above zero, such as 101.25.")
    return price


_STRIKE: Final = re.compile(r"\d+(\.\d{1,2})?", re.ASCII)
_JOINED: Final = re.compile(r"(\d+(?:\.\d{1,2})?)(CE|PE)", re.ASCII)


def read_contract(words: list[str], known: Known) -> tuple[str, list[str]]:
    """A canonical contract name and the words after it; without an expiry the nearest one is meant.

    Raises Refusal.
    """
    if not words:
        raise Refusal("CONTRACT_MISSING", "Name a contract, like NIFTY 25NOV26 24500 CE, or NIFTY 24500 CE.")
    underlying = _choice(words[0], list(known.expiries), "underlying").upper()
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
    raise Refusal("UNKNOWN_SCOPE", f"{text!r} is nothing that can be closed{_near(text, names)}.")


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
    return Modify(_choice(words[0], known.orders, "working order"))


def _show(words: list[str], known: Known) -> Wish:
    if not words:
        raise Refusal("SCREEN_MISSING", f"Name a screen: {', '.join(known.screens)}.")
    screen = _choice(words[0], known.screens, "screen")
    if len(words) == 1:
        return Show(screen)
    if screen != "chain":
        raise Refusal("UNKNOWN_WORD", f"Only the chain takes an underlying; {screen} stands alone.")
    underlying = _choice(words[1], list(known.expiries), "underlying")
    expiry = choose_expiry(words[2], known.expiries[underlying]) if len(words) > 2 else None
    return Show(screen, underlying, expiry)


def _theme(words: list[str], known: Known) -> Wish:
    if len(words) != 1:
        raise Refusal("THEME_MISSING", f"Name a theme: {', '.join(known.themes)}.")
    return UseTheme(_choice(words[0], known.themes, "theme"))


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
        Verb("buy", "buy [LOTS] CONTRACT [@ P | mkt | sl T P | slm T]", "opens the ticket to buy", _trade(Side.BUY)),
        Verb(
            "sell", "sell [LOTS] CONTRACT [@ P | mkt | sl T P | slm T]", "opens the ticket to sell", _trade(Side.SELL)
        ),
        Verb("exit", "exit UNDERLYING | CONTRACT | ACCOUNT [50%]", "closes what is open there", _exit),
        Verb("flatten", "flatten [all | SCOPE] [50%]", "closes everything", _close),
        Verb("cancel", "cancel ORDER | all | SCOPE", "cancels what works", _cancel),
        Verb("modify", "modify ORDER", "opens the ticket on a working order", _modify),
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
        return list(known.screens) if first else _contract_words(before[1:], known) if before[0] == "chain" else []
    if verb in ("buy", "sell"):
        return _contract_words(before[1:] if before and before[0].isdigit() else before, known)
    if verb in ("exit", "flatten", "cancel"):
        names = [*known.orders] if verb == "cancel" else []
        return [*names, "all", *known.accounts, *known.expiries] if first else _contract_words(before, known)
    return []


def _contract_words(before: list[str], known: Known) -> list[str]:
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
