"""The wire's own bad habits, which a rehearsal turns on and off."""

from __future__ import annotations

import msgspec


class Hazards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Noren does in public reports, each switchable.

    ``wrong_quotes`` percent of GetQuotes answers are whole, "Ok" snapshots of another instrument asked on the login.
    ``most_scrips`` of a session are served, further ones get no acknowledgement; None serves all. ``mute`` accepts
    connect, login and subscriptions and then says nothing, with yesterday's token too. ``not_available`` of every so
    many updates say NA for prices; 0 never. ``casing`` varies how acknowledgements spell OK. ``heartbeats`` answers
    heartbeats. ``one_socket`` closes a token's first socket when a second one opens. ``dead_status`` is the HTTP
    status of a dead session. ``paced`` counts requests against the limits.
    """

    wrong_quotes: int = 0
    most_scrips: int | None = 100
    mute: bool = False
    not_available: int = 0
    casing: bool = False
    heartbeats: bool = True
    one_socket: bool = True
    dead_status: int = 200
    paced: bool = True
