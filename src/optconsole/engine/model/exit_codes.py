"""Why a leg or a whole run was left (features AU-1): stable codes, kept in the journal."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ExitCode(StrEnum):
    """One reason an exit has. The sentence that goes with it says with which values."""

    LEG_SL = "LEG_SL"
    LEG_TGT = "LEG_TGT"
    LEG_TSL = "LEG_TSL"
    BE_SL = "BE_SL"
    COST_SL = "COST_SL"
    OVR_SL = "OVR_SL"
    OVR_TGT = "OVR_TGT"
    OVR_TSL = "OVR_TSL"
    LOCK = "LOCK"
    BAND = "BAND"
    GREEKS = "GREEKS"
    TIME = "TIME"
    EXPIRY = "EXPIRY"
    MANUAL = "MANUAL"
    PLUGIN = "PLUGIN"
    BASKET_LIMIT = "BASKET_LIMIT"
    ACCOUNT_LIMIT = "ACCOUNT_LIMIT"
    KILL = "KILL"
    BROKER_SQOFF = "BROKER_SQOFF"
    EXTERNAL = "EXTERNAL"


LEG_STOPS: Final = frozenset({ExitCode.LEG_SL, ExitCode.LEG_TSL, ExitCode.BE_SL, ExitCode.COST_SL})
"""A leg closed by its stop, whichever rule had put the stop there."""
OVERALL_STOPS: Final = frozenset({ExitCode.OVR_SL, ExitCode.OVR_TSL, ExitCode.LOCK})
"""A run closed because its MTM fell to its stop or its floor."""
