"""What ends a whole run (features 1.6), and what follows. Rupees are paise, percents basis points of the premium."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Basis(StrEnum):
    """Of an overall stop or target: rupees of MTM, or percent of the premium of the first entries, gross or net."""

    RUPEES = "rupees"
    GROSS_PREMIUM = "gross-premium"
    NET_PREMIUM = "net-premium"


class Level(msgspec.Struct, frozen=True):
    """SX-1, SX-2: an amount of MTM, positive; a stop is reached at its negative."""

    amount: int
    basis: Basis = Basis.RUPEES


class OverallTrail(msgspec.Struct, frozen=True):
    """SX-3: for every ``every`` paise of peak MTM the stop rises by ``move``."""

    every: int
    move: int


class ProfitLock(msgspec.Struct, frozen=True, kw_only=True):
    """SX-4 to SX-6: at ``at`` the floor is ``keep``; then ``move`` for every ``every`` more. ``at`` 0 trails only."""

    at: int = 0
    keep: int = 0
    every: int = 0
    move: int = 0


class Rung(msgspec.Struct, frozen=True):
    """SX-7: at this profit (paise) so much of each leg (percent of its lots, whole lots) is closed."""

    profit: int
    percent: int


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """SX-8: out when the underlying leaves ``low``..``high`` (paise), moves by ``move`` (basis points) from where it
    was at entry, or touches a break-even of the entered legs."""

    low: int | None = None
    high: int | None = None
    move: int | None = None
    break_even: bool = False


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """SX-9: out beyond a net delta (thousandths of a lot), a gamma (millionths), or once so much (basis points) of the
    premium sold has decayed."""

    delta: int | None = None
    gamma: int | None = None
    decayed: int | None = None


class Again(StrEnum):
    """What follows an overall exit: the same run anew, with sides turned, or after a move of the combined premium."""

    RUN = "run"
    REVERSE = "reverse"
    MOMENTUM = "momentum"


class OverallReentry(msgspec.Struct, frozen=True, kw_only=True):
    """Overall re-entry (1.7): so many cycles, each with an MTM of its own. ``move`` is of MOMENTUM (bp, signed)."""

    how: Again = Again.RUN
    times: int = 1
    delay: int = 0
    move: int = 0


class Overall(msgspec.Struct, frozen=True, kw_only=True):
    """What ends the run as a whole. ``net`` counts charges in the MTM. Looked at only once every leg is filled, or
    ``settle`` seconds after the first fill."""

    stop: Level | None = None
    target: Level | None = None
    trail: OverallTrail | None = None
    lock: ProfitLock | None = None
    ladder: tuple[Rung, ...] = ()
    band: Band | None = None
    greeks: Greeks | None = None
    on_stop: OverallReentry | None = None
    on_target: OverallReentry | None = None
    net: bool = False
    settle: int = 30
