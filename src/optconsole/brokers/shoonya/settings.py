"""Where Shoonya is and how hard it may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DERIVATIVES: Final = ("NFO", "BFO")
"""Exchange segments whose contracts we trade; rows of others are shown by the broker's own symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShoonyaSettings:
    """Hosts, paces and patience.

    Shoonya states no rates since April 2026. The defaults stay below the regulator's ten orders a second and below
    what its sister brokers publish; ``quotes_a_minute`` below the 120 at which GetQuotes was seen to refuse.
    ``scrips_streamed`` is how many contracts one socket was measured to carry before it drops them silently.
    """

    user: str = ""
    """The user id; empty takes the one of the login."""
    rest_url: str = "https://api.shoonya.com/NorenWClientAPI"
    ws_url: str = "wss://api.shoonya.com/NorenWSAPI/"
    masters_url: str = "https://api.shoonya.com"
    login_url: str = "https://trade.shoonya.com/OAuthlogin/investor-entry-level/login"
    deadline: float = 8.0
    orders_a_second: int = 8
    orders_a_minute: int = 40
    """A sister broker's figure; beyond it orders only wait for ``longest_wait`` before they leave."""
    reads_a_second: int = 8
    reads_a_minute: int = 110
    quotes_a_minute: int = 100
    longest_wait: float = 3.0
    """Seconds an order may wait for its turn among those of a second; later it is not sent."""
    heartbeat: float = 30.0
    stall: float = 120.0
    """Seconds without a frame after which any connection is given up."""
    silence: float = 10.0
    """Seconds without a byte after which a stream that was flowing counts as dead."""
    ack_patience: float = 5.0
    """Seconds in which a subscription is to be confirmed."""
    scrips_streamed: int = 100
    batch: int = 100
    batch_gap: float = 0.1
    quote_tries: int = 3
    algo_id: str = ""
    sentinels: tuple[str, ...] = ("NIFTY", "BANKNIFTY", "SENSEX")
    """Indices whose row and living options the instrument files must hold."""
