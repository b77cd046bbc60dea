"""Settings: one typed tree read from ``config.toml`` in the home; everything has a default, nothing unknown passes."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.limits import Level, Limit, LimitAction, LimitKind, OrderLimits
from optconsole.engine.model.text import display
from optconsole.paths import CONFIG_NAME
from optconsole.sections import ACCOUNT_NAME, BrokerAccount, Section, clashing

FILE_NAME: Final = CONFIG_NAME


class Store(Section):
    """Where the journal and the read tables lie."""

    url: str = ""
    """Database URL; empty is SQLite in the home. PostgreSQL: ``postgresql+psycopg://user:password@host/name``."""


class Ui(Section):
    """How the console looks."""

    theme: str | None = None
    """Name of a theme; unset is chosen by what the terminal can show."""
    hz: float | None = Field(default=None, ge=0.5, le=30)
    """Repaints a second; unset is chosen by the line's speed."""
    ascii: bool = False
    sound: bool = True


class Paper(Section):
    """The paper broker. Every field but ``capital`` and ``account`` is passed on to it as it stands."""

    account: str = Field(default="paper", pattern=ACCOUNT_NAME)
    capital: int = Field(default=10_00_000, ge=1, le=1_000_00_00_000)
    """Opening cash in rupees."""
    ack_latency_ms: int = Field(default=0, ge=0, le=60_000)
    update_latency_ms: int = Field(default=0, ge=0, le=60_000)
    latency_jitter_ms: int = Field(default=0, ge=0, le=60_000)
    fill_share_percent: int = Field(default=100, ge=1, le=100)
    half_spread_ticks: int = Field(default=1, ge=0, le=1_000)
    half_spread_bps: int = Field(default=10, ge=0, le=5_000)
    assumed_lots: int = Field(default=10, ge=1, le=10_000)
    mis_cutoff_minutes: int = Field(default=15, ge=0, le=300)
    mis_square_off_minutes: int = Field(default=10, ge=1, le=300)
    reference_seconds: int = Field(default=30, ge=1, le=3_600)
    settlement_minutes: int = Field(default=30, ge=1, le=300)

    def broker_fields(self) -> dict[str, int]:
        """What the paper broker itself is tuned by."""
        return self.model_dump(exclude={"account", "capital"})


class Practice(Section):
    """The practice market."""

    seed: int = Field(default=1, ge=0)
    rate: int | None = Field(default=None, ge=1, le=50_000)
    """Quotes a second; unset is the market's own pace."""


class Risk(Section):
    """Limits a new store begins with, and the rules of single orders.

    The first start writes the limits into the journal. From then on the journal is the truth: `optconsole risk show`
    lists what holds, `optconsole risk set` changes it, and a change here has no effect on a store that has begun.
    The settings from ``duplicate_seconds`` on are read at every start.
    """

    max_lots_per_order: int = Field(default=200, ge=1, le=100_000)
    price_deviation_percent: int = Field(default=60, ge=1, le=1_000)
    """How far a limit price may lie from the market before it counts as a slip of the finger."""
    max_order_value: int = Field(default=50_00_00_000, ge=1, le=10_00_000_00_00_000)
    """Rupees that one order may be about (units times strike, or a future's price), whatever the lot size says."""
    orders_per_day: int = Field(default=2_000, ge=1, le=1_000_000)
    rejects_in_a_row: int = Field(default=10, ge=1, le=1_000)
    """Refusals of the broker one after another, after which new risk waits for a person."""
    max_loss: int | None = Field(default=None, ge=1, le=10_00_000_00_00_000)
    """Rupees a day over all accounts after which only orders that reduce may leave; unset is no such limit."""
    loss_alert_percent: int | None = Field(default=5, ge=1, le=100)
    """Loss of a day in per cent of the capital at which you are told; nothing is blocked."""
    duplicate_seconds: int | None = Field(default=None, ge=0, le=600)
    """In which the same order again is taken for a key pressed twice; unset is 2 on live accounts and 0 elsewhere."""
    mis_cutoff_minutes: int = Field(default=15, ge=0, le=300)
    """Before the session's end in which MIS is only closed."""
    expiry_cutoff_minutes: int = Field(default=0, ge=0, le=300)
    """Before a contract's last trade in which no new risk is taken in it; 0 is until the end."""

    def order_limits(self) -> OrderLimits:
        """What single orders are measured by."""
        return OrderLimits(
            max_lots=self.max_lots_per_order,
            deviation_percent=self.price_deviation_percent,
            duplicate_seconds=self.duplicate_seconds,
            mis_cutoff_minutes=self.mis_cutoff_minutes,
            expiry_cutoff_minutes=self.expiry_cutoff_minutes,
        )

    def limits_at_first(self) -> tuple[Limit, ...]:
        """The limits a new store begins with."""
        block, alert, reduce = LimitAction.BLOCK_NEW, LimitAction.ALERT, LimitAction.REDUCE_ONLY
        wanted: list[tuple[Level, LimitKind, int | None, LimitAction]] = [
            (Level.ORDER, LimitKind.ORDER_LOTS, self.max_lots_per_order, block),
            (Level.ORDER, LimitKind.DEVIATION, self.price_deviation_percent, block),
            (Level.ORDER, LimitKind.ORDER_VALUE, self.max_order_value * 100, block),
            (Level.GLOBAL, LimitKind.ORDERS, self.orders_per_day, block),
            (Level.GLOBAL, LimitKind.REJECTS, self.rejects_in_a_row, block),
            (Level.GLOBAL, LimitKind.MAX_LOSS, None if self.max_loss is None else self.max_loss * 100, reduce),
            (Level.GLOBAL, LimitKind.MAX_LOSS_PERCENT, self.loss_alert_percent, alert),
        ]
        return tuple(
            Limit(level=level, kind=kind, value=value, action=action)
            for level, kind, value, action in wanted
            if value is not None
        )


class Live(Section):
    """The real market."""

    rehearsal_shift_seconds: int = Field(default=0, ge=-400 * 86_400, le=400 * 86_400)
    """How far the rehearsed market's time is ahead of the wall's, as `optconsole broker simulate` prints it. Refused
    where any account is at a real broker."""


class Strategies(Section):
    """Registered strategies, each of which runs in a process of its own."""

    folder: str = ""
    """Where the trader's own are; unset is ``strategies`` in the home."""
    answer_ms: int = Field(default=500, ge=50, le=10_000)
    """How long one may think before it is switched off."""
    memory_mb: int = Field(default=1024, ge=256, le=16_384)

    def place(self, home: Path) -> Path:
        """The folder of the trader's own strategies."""
        return Path(self.folder).expanduser() if self.folder else home / "strategies"


class Postbacks(Section):
    """Brokers' postbacks, received on this machine alone behind a proxy of your own; unset is no listener."""

    port: int | None = Field(default=None, ge=1024, le=65_535)


class Settings(Section):
    """The whole configuration."""

    store: Store = Store()
    ui: Ui = Ui()
    keys: dict[str, str] = {}
    """Binding id -> comma-separated keys."""
    paper: Paper = Paper()
    practice: Practice = Practice()
    risk: Risk = Risk()
    strategies: Strategies = Strategies()
    postbacks: Postbacks = Postbacks()
    live: Live = Live()
    accounts: dict[str, BrokerAccount] = {}
    """Account -> where it is kept. Its name is the id that orders, positions and secrets go by."""

    @field_validator("keys", mode="before")
    @classmethod
    def _join_dotted(cls, given: object) -> object:
        """Binding ids hold dots, which TOML reads as tables; quoted or not, they mean the same."""
        return dict(_joined(given)) if isinstance(given, Mapping) else given

    @field_validator("accounts")
    @classmethod
    def _named(cls, given: dict[str, BrokerAccount]) -> dict[str, BrokerAccount]:
        bad = next((name for name in given if not re.fullmatch(ACCOUNT_NAME, name)), None)
        if bad is not None:
            raise ValueError(f"{display(bad, 40)!r} is no account's name; use 1 to 20 letters, digits, - and _")
        clash = clashing(given)
        if clash is not None:
            raise ValueError(clash)
        return given

    @model_validator(mode="after")
    def _one_owner_of_a_name(self) -> Settings:
        other = self.accounts.get(self.paper.account)
        if other is not None and other.broker != "paper":
            raise ValueError(f"accounts.{self.paper.account} is also paper.account; give one of them another name")
        return self


def _joined(tree: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _joined(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value. ``origin`` is ``default`` or ``FILE:LINE``; secrets in ``value`` are masked."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings with the text they came from; ``text`` is empty without a file."""

    path: Path
    text: str
    settings: Settings

    def effective(self) -> Iterator[Setting]:
        """Every value with where it comes from, in the file's order of sections."""
        for section, fields in self.settings.model_dump().items():
            for name, value in _joined(fields):
                line = line_of(self.text, (section, *name.split(".")))
                origin = "default" if line is None else f"{self.path}:{line}"
                yield Setting(f"{section}.{name}", redacted(value), origin)


def load(home: Path) -> Settings:
    """The settings of a home. Raises Refusal(CONFIG_UNREADABLE | CONFIG_BROKEN | CONFIG_KEY | CONFIG_VALUE)."""
    return read(home).settings


def read(home: Path) -> Configuration:
    """The settings with their origins. Raises as ``load``."""
    path = home / FILE_NAME
    text = _text(path)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refusal("CONFIG_BROKEN", f"{path} is not TOML: {error}; correct it or move the file away.") from None
    try:
        return Configuration(path, text, Settings.model_validate(tree))
    except ValidationError as error:
        raise _complaint(path, text, error) from None


def redacted(value: object) -> object:
    """The value with the password of a URL masked."""
    if not isinstance(value, str) or "://" not in value:
        return value
    # up to the last @: a password may hold one, and masking too much shows nothing
    masked = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", value)
    return re.sub(r"(?i)((?:password|token)=)[^&]*", r"\1***", masked)


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line (from 1) that sets a dotted key, or opens its nearest table; None where nothing does."""
    table: tuple[str, ...] = ()
    nearest = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if header:
            table = _names(header[1])
            if path[: len(table)] == table:
                nearest = number
            if path == table:
                return number
            continue
        assignment = re.match(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=", line)
        if assignment and path[: len(found := table + _names(assignment[1]))] == found:
            return number
    return nearest if len(path) == 1 else None


def _names(dotted: str) -> tuple[str, ...]:
    """The parts of ``a."b.c".d``. A dot inside quotes parts too, as it does in the ids of bindings."""
    return tuple(part for part in re.split(r"[.\s\"']+", dotted) if part)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except UnicodeDecodeError:
        raise Refusal("CONFIG_BROKEN", f"{path} is not UTF-8 text; save it as UTF-8 or move the file away.") from None
    except OSError as error:
        raise Refusal("CONFIG_UNREADABLE", f"{path} cannot be read: {error.strerror}; check its permissions.") from None


def _complaint(path: Path, text: str, error: ValidationError) -> Refusal:
    """The first thing wrong, with its key, line and what would pass."""
    first = error.errors(include_url=False, include_context=True)[0]
    keys = tuple(name for part in first["loc"] for name in str(part).split("."))
    name = display(".".join(keys), 80)
    line = line_of(text, keys)
    place = f"{path} line {line}" if line is not None else str(path)
    if first["type"] == "extra_forbidden":
        near = nearest(keys[-1], _known(keys[:-1]))
        hint = (
            f"did you mean {'.'.join((*keys[:-1], near))}?" if near else f"known there: {', '.join(_known(keys[:-1]))}."
        )
        return Refusal("CONFIG_KEY", f"{place}: {name} is not a setting; {hint}")
    said = str(first["msg"]).removeprefix("Value error, ")
    given = first.get("input")
    if first["type"] == "model_type":
        said = f"it is a section; write its settings under [{name}]"
    shown = "" if isinstance(given, Mapping) else f" is {display(repr(redacted(given)), 40)}"
    return Refusal("CONFIG_VALUE", f"{place}: {name}{shown}; {said[:1].lower()}{said[1:]}.")


def _known(path: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    entry: type[BaseModel] | None = None
    for name in path:
        if entry is not None:  # the name of one of many: its fields are the next
            model, entry = entry, None
            continue
        field = model.model_fields.get(name)
        if field is None:
            return []
        of_many = next((kind for kind in get_args(field.annotation) if _is_section(kind)), None)
        if of_many is not None:
            entry = of_many
        elif _is_section(field.annotation):
            model = field.annotation
        else:
            return []
    return list(model.model_fields)


def _is_section(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that was most likely meant; None when none is near."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.5)), None)
