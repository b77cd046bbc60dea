"""Reading arguments: one parser per noun, errors as sentences, values checked where they are typed.

What a trade is made of is imported only by the values that need it: the console's first frame waits for this module.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final, NoReturn

from optconsole.engine.model.errors import Refusal


class UsageError(Exception):
    """The command line cannot be understood. ``text`` is one sentence; the exit code is 2."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises UsageError and takes ``--home`` and ``--json`` at every level."""

    def __init__(self, **options: Any) -> None:  # argparse builds verbs' parsers itself, with options of its own
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**{**options, "allow_abbrev": False})
        # SUPPRESS: a verb's parser must not reset what stands before the verb
        self.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="folder of all state")
        self.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON, amounts in whole paise"
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{_sentence(message)} See `{self.prog} --help`.")

    def verbs(self) -> argparse._SubParsersAction[Parser]:
        """The verbs of a noun; one must be given."""
        return self.add_subparsers(dest="verb", metavar="VERB", required=True)

    def add_waiting(self, default: float, what: str) -> None:
        """``--wait [S]``, the default, and ``--no-wait``, which is ``wait`` 0."""
        waits = f"wait S seconds {what} ({default:g})"
        self.add_argument("--wait", type=seconds, nargs="?", const=default, default=default, metavar="S", help=waits)
        self.add_argument("--no-wait", action="store_const", const=0.0, dest="wait", help="return once it is sent")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse. Words after options join the positional ``words``. Raises UsageError."""
        found, rest = self.parse_known_args(argv, argparse.Namespace(home=None, json=False))
        strange = next((word for word in rest if word.startswith("-") and not _number(word)), None)
        if strange is not None:
            near = nearest(strange.partition("=")[0], self._all_options())
            hint = f"; did you mean {near}?" if near else "."
            raise UsageError(f"{strange} is not an option of `{self.prog}`{hint} See `{self.prog} --help`.")
        if rest and not isinstance(getattr(found, "words", None), list):
            raise UsageError(f"{rest[0]!r} is one word too many. See `{self.prog} --help`.")
        if rest:
            found.words = [*found.words, *rest]
        return found

    def _all_options(self) -> list[str]:
        options = [option for action in self._actions for option in action.option_strings]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    options += [option for each in parser._actions for option in each.option_strings]
        return options


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant; None when none is near."""
    import difflib  # only for a mistake: nobody else pays for loading it

    return next(iter(difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)), None)


def _sentence(message: str) -> str:
    choice = re.fullmatch(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message)
    if choice:
        known = [word.strip().strip("'") for word in choice[3].split(",")]
        near = nearest(choice[2], known)
        hint = f"did you mean {near}?" if near else f"use one of {', '.join(known)}."
        return f"{choice[2]!r} is not known here; {hint}"
    message = re.sub(r"^argument (\S+): ", r"\1: ", message)
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")


def _number(word: str) -> bool:
    return re.fullmatch(r"-\d[\d.,]*", word) is not None


# ---------------------------------------------------------------- values, for ``type=``


def rupees(text: str) -> int:
    """An amount in rupees as paise."""
    from optconsole.engine.model.money import paise

    try:
        return paise(text)
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.text) from None


def price(text: str) -> int:
    """A price above zero in rupees, as paise."""
    amount = rupees(text)
    if amount <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a price; give rupees above zero, such as 101.25.")
    return amount


def count(text: str) -> int:
    """A whole number above zero."""
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero.")
    return int(text)


def number(text: str) -> int:
    """A whole number, zero included."""
    return 0 if re.fullmatch(r"0{1,12}", text) else count(text)


def seconds(text: str) -> float:
    """Seconds, zero included, at most an hour."""
    value = _decimal(text)
    if value is None or not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 0 and 3600.")
    return value


def speed(text: str) -> float:
    """Market seconds per second: a number above zero, or ``max`` (0)."""
    if text.lower() == "max":
        return 0.0
    value = _decimal(text.lower().removesuffix("x"))
    if value is None or not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed; give a number above zero such as 1 or 60, or max.")
    return value


def time_of_day(text: str) -> str:
    """``HH:MM`` or ``HH:MM:SS``."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time of day; write it like 09:30 or 09:30:15.")
    return text


def expiry(text: str) -> date:
    """``25NOV26`` or ``2026-11-25``."""
    from optconsole.engine.model.instruments import parse_expiry

    try:
        return parse_expiry(text)
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.text) from None


def day(text: str) -> date:
    """``2026-11-23``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it like 2026-11-23.") from None


def _decimal(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


# ---------------------------------------------------------------- contracts among words

_DAY: Final = re.compile(r"\d{1,2}[A-Z]{3}(\d{2})?", re.ASCII)


def split_contract(words: Sequence[str]) -> tuple[str, list[str]]:
    """The first contract of words that may be quoted or not, as canonical text, and the words after it.

    An expiry without its year (``25NOV``) stays so: which one it is, the engine's list tells.
    Raises Refusal(BAD_CONTRACT | BAD_EXPIRY).
    """
    from optconsole.engine.model.instruments import parse_contract

    parts = " ".join(words).upper().split()
    if not parts:
        raise UsageError("Name a contract, such as NIFTY 25NOV26 24500 CE.")
    size = 1
    if len(parts) > 1 and _DAY.fullmatch(parts[1]):
        size = 3 if parts[2:3] == ["FUT"] else 4
    name, rest = " ".join(parts[:size]), parts[size:]
    if size > 1 and parts[1][-1].isalpha():
        # read with some year, so that the other parts are checked here as they are with one
        parse_contract(" ".join([parts[0], f"{parts[1].zfill(5)}28", *parts[2:size]]))
        return name, rest
    return str(parse_contract(name)), rest


def split_contracts(words: Sequence[str]) -> list[str]:
    """Every contract of the words, each once. Raises as ``split_contract``."""
    found: list[str] = []
    rest = list(words)
    while rest:
        name, rest = split_contract(rest)
        found.append(name)
    return list(dict.fromkeys(found))
