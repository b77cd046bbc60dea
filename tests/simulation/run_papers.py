"""What the judge of runs keeps: each run and each of its legs, by the journal's plan and the exchange's trades."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Key = tuple[str, str, str]
"""Account, contract and product."""


@dataclass(slots=True)
class LegPaper:
    """One leg. ``side`` is the traded one, which a reversal turns.

    ``net`` is what the exchange traded on its behalf; ``mixed`` once others closed some of it.
    """

    id: str
    account: str
    lots: int
    side: str
    stage: str = "IDLE"
    contract: str = ""
    stop: tuple[int, int] | None = None
    blind: bool = False
    net: Counter[Key] = field(default_factory=Counter)
    entries: int = 0
    mixed: bool = False
    doubted: bool = False
    beyond: float | None = None

    @property
    def held(self) -> int:
        """Units open on its behalf, without their sign."""
        return sum(map(abs, self.net.values()))


@dataclass(slots=True)
class RunPaper:
    """One run as it was planned, and how far it has come."""

    id: str
    path: str
    strategy: dict[str, Any]
    entry_until: datetime
    exit_at: datetime
    legs: dict[str, LegPaper]
    status: str = "SCHEDULED"
    code: str = ""
    begun: bool = False
    by_hand: bool = False
    most: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing more may come of it."""
        return self.status in ("CLOSED", "SKIPPED", "FAILED")

    def allow(self, strategy: dict[str, Any]) -> None:
        """Count how often each leg may be entered by these rules; an edit may raise it, never forget what was."""
        self.strategy = strategy
        for name, most in allowed(strategy).items():
            self.most[name] = max(self.most.get(name, 0), most)

    def legs_of(self, name: str) -> dict[str, Any]:
        """A leg as written."""
        return next(leg for leg in self.strategy["legs"] if leg["id"] == name)


def planned(body: dict[str, Any]) -> RunPaper:
    """The run that a plan's row tells of."""
    run = body["run"]
    legs = {name: LegPaper(name, leg["account"], leg["lots"], leg["side"]) for name, leg in run["legs"].items()}
    path = f"{run['basket']}/{run['strategy']['name']}/{run['id']}"
    until, leave = (datetime.fromisoformat(run[name]) for name in ("entry_until", "exit_at"))
    paper = RunPaper(run["id"], path, run["strategy"], until, leave, legs, status=run.get("status", "SCHEDULED"))
    paper.allow(run["strategy"])
    return paper


def allowed(strategy: dict[str, Any]) -> dict[str, int]:
    """The most entries of each leg that the definition leaves room for: cycles, re-entries, and what others arm."""
    overall = strategy.get("overall", {})
    cycles = 1 + sum(_times(overall.get(name)) for name in ("on_stop", "on_target"))
    legs = strategy["legs"]
    rules = [(leg["id"], leg.get(name)) for leg in legs for name in ("on_stop", "on_target") if leg.get(name)]
    anew = sum(_times(rule) for _, rule in rules if rule.get("square_off_all"))
    found = {}
    for leg in legs:
        own = sum(_times(rule) for name, rule in rules if name == leg["id"])
        armed = sum(_times(rule) for _, rule in rules if leg["id"] in rule.get("arms", ()))
        found[leg["id"]] = cycles * (1 + own + armed + anew)
    return found


def comes_again(strategy: dict[str, Any]) -> bool:
    """Whether something may follow once the whole run was left."""
    overall = strategy.get("overall", {})
    if overall.get("on_stop") or overall.get("on_target"):
        return True
    rules = [leg.get(name) for leg in strategy["legs"] for name in ("on_stop", "on_target")]
    return any(rule and rule.get("square_off_all") for rule in rules)


def _times(rule: dict[str, Any] | None) -> int:
    return 0 if not rule else int(rule.get("times", 1))
