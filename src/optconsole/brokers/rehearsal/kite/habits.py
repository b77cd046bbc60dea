"""What public sources say of Kite in two ways, each switchable: a client must bear both."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from optconsole.engine.model.errors import Refusal


class KiteHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``bare_slices`` answers a sliced order with the list of its children alone. ``lost_tags`` shows a client's tag
    among ``tags`` only where Kite adds some of its own. ``one_login`` lets a new login end the one before.
    ``ip_as_input`` refuses an unlisted address as an InputException. ``modify_remaining`` takes a changed quantity as
    what is left to fill, not as the total. ``blank_cancels`` shows nothing as cancelled of a cancelled order.
    ``paced`` counts requests against the limits.
    """

    bare_slices: bool = False
    lost_tags: bool = False
    one_login: bool = True
    ip_as_input: bool = False
    modify_remaining: bool = False
    blank_cancels: bool = False
    paced: bool = True


def changed(habits: KiteHabits, changes: Mapping[str, object]) -> KiteHabits:
    """Some switched, the others as they are. Raises Refusal(BAD_HABITS)."""
    try:
        return msgspec.convert({**msgspec.structs.asdict(habits), **changes}, KiteHabits)
    except msgspec.ValidationError as wrong:
        raise Refusal("BAD_HABITS", f"Those are no habits of this wire: {wrong}.") from wrong
