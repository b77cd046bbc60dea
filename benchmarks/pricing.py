"""Implied volatility and five Greeks, Black-76: ours against vollib, speed and accuracy.

    python benchmarks/pricing.py [--quick] [--json]

Peer and ours alternate in one run, one thread each; the claim is the ratio, the median of the rounds' own. A row is
the volatility from the price and price, delta, gamma, vega, theta and rho at it. Warm starts lie 2 % (normal) off.
Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

# The peer runs on one thread, so we do: no help from a threaded matrix library.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import numpy as np  # noqa: E402
from py_lets_be_rational.exceptions import VolatilityValueException  # noqa: E402 -- after the thread count
from vollib.black.greeks.analytical import delta, gamma, rho, theta, vega  # noqa: E402
from vollib.black.implied_volatility import implied_volatility  # noqa: E402

from benchmarks.rounds import alternate, machine, ratio  # noqa: E402
from optconsole.engine.pricing import scalar  # noqa: E402
from optconsole.engine.pricing.black76 import greeks  # noqa: E402
from optconsole.engine.pricing.implied import implied_vols  # noqa: E402
from tests.engine.pricing.grid import FORWARD, RATE, RECOVERABLE, hard_grid  # noqa: E402

PEER = "vollib"
PEER_REFUSES = (VolatilityValueException, ArithmeticError)
"""What it raises for a price without a volatility."""
PEER_SLICE = 2_000
"""The peer works one option after the other, so a slice gives its time per option."""
WRONG = 1e-6


@dataclass(frozen=True)
class Result:
    """One measured figure and what it is held to; `at_least` False: held from above."""

    name: str
    value: float
    target: float
    at_least: bool = True
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True)
class Book:
    """Chains on an index of 24,000: 2 hours to 90 days, 20 or 50 point strikes, a smile with noise."""

    price: np.ndarray
    forward: np.ndarray
    strike: np.ndarray
    years: np.ndarray
    rate: np.ndarray
    is_call: np.ndarray
    vol: np.ndarray
    start: np.ndarray


def make_book(size: int, seed: int = 1) -> Book:
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, float, float, float, bool]] = []
    while len(rows) < size:
        forward = 24_000 * (1 + 0.002 * rng.standard_normal())
        years = float(rng.choice([2 / 24 / 365, 1 / 365, 3 / 365, 7 / 365, 30 / 365, 90 / 365]))
        step = 50 if years > 2 / 365 else 20
        for strike in (round(forward / step) * step + n * step for n in range(-50, 50)):
            smile = 0.12 + 0.18 * math.log(strike / forward) ** 2 / math.sqrt(max(years, 0.01)) + 0.02 * rng.random()
            rows += [(forward, strike, years, smile, True), (forward, strike, years, smile, False)]
    forward, strike, years, vol, is_call = (np.array(column) for column in zip(*rows[:size], strict=True))
    rate = np.full(size, 0.065)
    price = greeks(forward, strike, years, rate, vol, is_call).price
    start = vol * (1 + 0.02 * rng.standard_normal(size))
    return Book(price, forward, strike.astype(float), years, rate, is_call, vol, start)


def peer_loop(book: Book, size: int) -> int:
    """IV and five Greeks of the first `size` options with the peer; returns how many."""
    flags = np.where(book.is_call, "c", "p").tolist()
    columns = (
        book.price.tolist(),
        book.forward.tolist(),
        book.strike.tolist(),
        book.years.tolist(),
        book.rate.tolist(),
    )
    for p, f, k, t, r, flag in list(zip(*columns, flags, strict=True))[:size]:
        try:
            v = implied_volatility(p, f, k, r, t, flag)
            for greek in (delta, gamma, vega, theta, rho):
                greek(flag, f, k, t, r, v)
        except PEER_REFUSES:
            continue
    return size


def scalar_row(row: tuple[float, float, float, float, float, bool], start: float) -> scalar.Greeks:
    price, forward, strike, years, rate, is_call = row
    vol, _ = scalar.implied_vol(price, forward, strike, years, rate, is_call, start)
    return scalar.greeks(forward, strike, years, rate, vol, is_call)


def whole(book: Book, start: np.ndarray | None, steps: int = 2) -> object:
    found = implied_vols(
        book.price, book.forward, book.strike, book.years, book.rate, book.is_call, start=start, steps=steps
    )
    return greeks(book.forward, book.strike, book.years, book.rate, found.vol, book.is_call)


def one_option(rounds: int, seconds: float) -> list[Result]:
    book = make_book(200)
    at = 104
    columns = (book.price, book.forward, book.strike, book.years, book.rate, book.is_call)
    row = tuple(column[at].item() for column in columns)
    single = Book(*(column[at : at + 1] for column in (*columns, book.vol, book.start)))
    near = float(book.vol[at] * 1.02)
    times = alternate(
        {
            PEER: (lambda: peer_loop(single, 1), 1),
            "cold": (lambda: scalar_row(row, math.nan), 1),
            "warm": (lambda: scalar_row(row, near), 1),
        },
        rounds,
        seconds,
    )
    return [
        Result("one option, pure Python, cold: times vollib", ratio(times, PEER, "cold"), 5, note=spent(times, "cold")),
        Result("one option, pure Python, warm: times vollib", ratio(times, PEER, "warm"), 7, note=spent(times, "warm")),
    ]


def many(size: int, targets: tuple[float, float, float | None], rounds: int, seconds: float) -> list[Result]:
    """Cold, warm in two steps (exact), warm in one."""
    book = make_book(size)
    sliced = min(size, PEER_SLICE)
    times = alternate(
        {
            PEER: (lambda: peer_loop(book, sliced), sliced),
            "cold": (lambda: whole(book, None), size),
            "two steps": (lambda: whole(book, book.start), size),
            "one step": (lambda: whole(book, book.start, 1), size),
        },
        rounds,
        seconds,
    )
    rows = zip(("cold", "two steps", "one step"), ("cold", "warm, exact", "warm, to 5e-6"), targets, strict=True)
    return [
        Result(f"{size:,} options, {text}: times vollib", ratio(times, PEER, key), target, note=spent(times, key))
        for key, text, target in rows
        if target is not None
    ] + warm_accuracy(book, size)


def warm_accuracy(book: Book, size: int) -> list[Result]:
    """The warm answers of the speed rows are the cold ones."""
    case = (book.price, book.forward, book.strike, book.years, book.rate, book.is_call)
    cold = implied_vols(*case).vol
    results = []
    for steps, limit in ((2, 1e-12), (1, 5e-6)):
        apart = np.nanmax(np.abs(implied_vols(*case, start=book.start, steps=steps).vol / cold - 1))
        results.append(Result(f"{size:,} options, {steps} warm steps: apart from cold", float(apart), limit, False))
    return results


def whole_book(rounds: int, seconds: float) -> list[Result]:
    """Greeks of all positions after a tick of the underlying, against a loop over them."""
    book = make_book(10_000)
    columns = (book.forward, book.strike, book.years, book.rate, book.vol, book.is_call)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    times = alternate(
        {
            "loop": (lambda: [scalar.greeks(*row) for row in rows], len(rows)),
            "arrays": (lambda: greeks(*columns), len(rows)),
        },
        rounds,
        seconds,
    )
    return [Result("10,000 Greeks at known vol: times our Python loop", ratio(times, "loop", "arrays"), 15)]


def spent(times: dict[str, list[float]], key: str) -> str:
    return f"{sorted(times[key])[len(times[key]) // 2] * 1e6:.2f} us against {min(times[PEER]) * 1e6:.0f} us an option"


def peer_vol(price: float, strike: float, years: float, is_call: bool) -> float:
    """The peer's answer, NaN where it refuses, answers zero or nothing finite."""
    try:
        vol = float(implied_volatility(price, FORWARD, strike, RATE, years, "c" if is_call else "p"))
    except PEER_REFUSES:
        return math.nan
    return vol if math.isfinite(vol) and vol > WRONG else math.nan


def accuracy() -> list[Result]:
    grid = hard_grid()
    price, strike, years, vol, is_call = (
        np.array(column)
        for column in zip(*((c.exact.price, c.strike, c.years, c.vol, c.is_call) for c in grid), strict=True)
    )
    ours = implied_vols(price, FORWARD, strike, years, RATE, is_call).vol
    peer = np.array([peer_vol(c.exact.price, c.strike, c.years, c.is_call) for c in grid])
    otm = np.array([c.is_otm for c in grid])
    empty = np.array([c.holds_nothing for c in grid])
    recoverable = ~otm & (np.array([c.exact.ulp_effect for c in grid]) < RECOVERABLE)

    def worst(answers: np.ndarray, where: np.ndarray) -> float:
        errors = np.abs(answers[where] / vol[where] - 1)
        return float(np.max(np.where(np.isnan(errors), np.inf, errors)))

    def wrong(answers: np.ndarray, where: np.ndarray) -> int:
        return int(np.count_nonzero(np.abs(answers[where] / vol[where] - 1) > WRONG))

    paid, tail = otm & (price >= 0.01), otm & (price < 0.01)
    missing = int(np.count_nonzero(np.isnan(ours[otm | recoverable])))
    return [
        Result("IV error, price >= 0.01", worst(ours, paid), 1e-14, False, f"vollib {worst(peer, paid):.1e}"),
        Result("IV error, price 1e-300 to 0.01", worst(ours, tail), 1e-12, False, f"vollib {worst(peer, tail):.1e}"),
        Result(
            "wrong and not flagged",
            wrong(ours, otm | recoverable),
            0,
            False,
            f"vollib {wrong(peer, otm | recoverable)}",
        ),
        Result("answerable, not answered", missing, 0, False, f"of {np.count_nonzero(otm | recoverable)}"),
        Result(
            f"no-information cells flagged, of {np.count_nonzero(empty)}",
            int(np.count_nonzero(np.isnan(ours[empty]))),
            int(np.count_nonzero(empty)),
            note=f"vollib {np.count_nonzero(np.isnan(peer[empty]))}",
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="five short rounds instead of nine")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args()
    np.seterr(all="ignore")  # the peer divides by zero on prices that hold no volatility
    rounds, seconds = (5, 0.03) if options.quick else (9, 0.15)
    host = machine("numpy", "vollib")
    results = [
        *one_option(rounds, seconds),
        *many(200, (10, 20, 30), rounds, seconds),
        *many(20_000, (70, 150, None), rounds, seconds),
        *whole_book(rounds, seconds),
        *accuracy(),
    ]
    if options.json:
        rows = [{**asdict(result), "passed": result.passed} for result in results]
        print(json.dumps({"machine": host, "rounds": rounds, "results": rows}))
    else:
        print(f"{host}; {rounds} rounds")
        for result in results:
            sign, verdict = (">=" if result.at_least else "<="), ("PASS" if result.passed else "FAIL")
            print(f"{verdict}  {result.name:52s} {result.value:9.4g}  {sign} {result.target:<7g} {result.note}")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
