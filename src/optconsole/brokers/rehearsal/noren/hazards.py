"""The wire's own bad habits, which a rehearsal turns on and off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from optconsole.engine.model.errors import Refusal

Count = Annotated[int, msgspec.Meta(ge=0)]


class Hazards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Noren does in public reports, each switchable.

    ``wrong_quotes`` percent of GetQuotes answers are whole, "Ok" snapshots of another instrument asked on the login.
    ``most_scrips`` of a session are served, further ones get no acknowledgement; None serves all. ``mute`` accepts
    connect, login and subscriptions and then says nothing, with yesterday's token too. ``not_available`` of every so
    many updates say NA for prices; 0 never. ``casing`` varies how answers and acknowledgements spell OK.
    ``heartbeats`` answers heartbeats. ``one_socket`` closes a token's first socket when a second one opens.
    ``dead_status`` is the HTTP status of a dead session. ``paced`` counts requests against the limits.
    """

    wrong_quotes: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    most_scrips: Count | None = 100
    mute: bool = False
    not_available: Count = 0
    casing: bool = False
    heartbeats: bool = True
    one_socket: bool = True
    dead_status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 200
    paced: bool = True


def changed(hazards: Hazards, changes: Mapping[str, object]) -> Hazards:
    """Some switched, the others as they are. Raises Refusal(BAD_HABITS)."""
    try:
        return msgspec.convert({**msgspec.structs.asdict(hazards), **changes}, Hazards)
    except msgspec.ValidationError as wrong:
        raise Refusal("BAD_HABITS", f"Those are no habits of this wire: {wrong}.") from wrong
