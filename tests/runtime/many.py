"""A basket of a hundred condors over three underlyings, all due at 09:20:00."""

from __future__ import annotations

from optconsole.engine.model.baskets import Basket
from optconsole.engine.strategies.linting import check_text

_LEGS = (
    ("hc", "buy", "CE", "OTM10"),
    ("hp", "buy", "PE", "OTM10"),
    ("ce", "sell", "CE", "premium 100"),
    ("pe", "sell", "PE", "premium 100"),
)
_UNDERLYINGS = (("NIFTY", "weekly"), ("BANKNIFTY", "monthly"), ("SENSEX", "weekly"))


def hundred(count: int = 100) -> Basket:
    """``count`` strategies of four legs each; hedges are bought, by steps, the others sold by premium."""
    text = 'format = 1\n[basket]\nname = "hundred"\n[[account]]\nname = "paper"\n'
    for place in range(count):
        underlying, series = _UNDERLYINGS[place % len(_UNDERLYINGS)]
        text += (
            f'[[strategy]]\nname = "s{place:03}"\nunderlying = "{underlying}"\nentry = "09:20:00"\nexit = "15:15:00"\n'
        )
        for leg, side, right, strike in _LEGS:
            text += (
                f'[[strategy.leg]]\nid = "{leg}"\nside = "{side}"\nright = "{right}"\n'
                f'strike = "{strike}"\nexpiry = "{series}"\n'
            )
    checked = check_text(text)
    assert checked.basket is not None, checked.faults
    return checked.basket
