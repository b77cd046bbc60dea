"""From the first frame to the screens: what they stand on, read from the engine in one go.

Imported behind the first paint, and with it everything that knows the engine's words.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from optconsole.engine.model.errors import Refusal
from optconsole.link.protocol import LinkLost
from optconsole.screens.deck import Deck
from optconsole.screens.formats import Formats
from optconsole.screens.keymap import Keymap
from optconsole.screens.lifeline import Lifeline
from optconsole.screens.mirror import Topic
from optconsole.screens.pulse import Pulse, beat_rate
from optconsole.screens.terminal import is_remote


async def board(
    lifeline: Lifeline,
    keymap: Keymap,
    monotonic: Callable[[], float],
    *,
    ascii: bool,
    attached: bool,
    hz: float | None,
    environ: Mapping[str, str] = os.environ,
) -> Deck:
    """Reach the engine and read where it stands. Raises Refusal, also for a link lost at once (LINK_LOST)."""
    mirror = await lifeline.open()
    deck = Deck(
        mirror,
        Pulse(mirror, beat_rate(environ, hz), monotonic),
        Formats(ascii=ascii),
        keymap,
        remote=is_remote(environ),
        attached=attached,
        monotonic=monotonic,
    )
    try:
        await asyncio.gather(mirror.read_recent(), mirror.resync(), deck.learn())
    except LinkLost as lost:
        raise Refusal("LINK_LOST", str(lost)) from None
    mirror.on(Topic.POSITIONS, deck.pulse.rewatch)
    return deck
