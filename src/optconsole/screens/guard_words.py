"""Facts about the guards of positions in plain words."""

from __future__ import annotations

from optconsole.engine import events as ev
from optconsole.engine.model.protection import Guard
from optconsole.screens.formats import Formats


def guard_words(event: ev.ProtectionEvent, fmt: Formats) -> tuple[str, str, str]:
    """A fact about a guard as mark, sentence and colour role."""
    dot, name = fmt.glyph("·", "-"), fmt.contract(event.key.contract)
    match event:
        case ev.ProtectionSet():
            parts = [
                f"{word} {fmt.price(level)}"
                for word, level in (("stop", event.stop), ("at the exchange", event.wide), ("target", event.target))
                if level is not None
            ]
            return (dot, f"{name} is guarded: {', '.join(parts)}", "good")
        case ev.ProtectionMoved():
            why = f", {event.reason.value.lower().replace('_', ' ')}" if event.reason else ""
            bad = event.state is Guard.REPAIR
            return (dot, f"Stop of {name}: {event.state.value.lower()}{why}", "bad" if bad else "")
        case ev.ProtectionCrossed():
            if not event.crossing:
                return (dot, f"{name} came back before a second quote", "dim")
            return (dot, f"{name} at {fmt.price(event.price)} reached its {fmt.text(event.crossing)}", "warn")
        case ev.ProtectionSight():
            return (dot, f"{name} cannot be watched", "bad") if event.blind else (dot, f"{name} is watched again", "")
        case ev.ProtectionTriggered():
            at = f" at {fmt.price(event.price)}" if event.price is not None else ""
            return (fmt.glyph("✗", "x"), f"{fmt.text(event.why).capitalize()} of {name} acts{at}", "warn")
        case ev.ProtectionEnded():
            return (dot, f"{name} is guarded no longer: {fmt.text(event.reason)}", "dim")
        case _:
            return (dot, f"Guard of {name}", "dim")
