"""What the first frame and every later screen have in common: a line to say something on."""

from __future__ import annotations

from textual.screen import Screen

from optconsole.screens.widgets.shell import SayLine


class FramedScreen(Screen[None]):
    """A screen with the frame's line for facts. ``on_pulse`` is one beat: the names whose quotes changed."""

    def on_pulse(self, changed: set[str]) -> None:
        """Show the new quotes of ``changed`` and whatever moves with time; at most one refresh a widget."""

    def say(self, text: str, role: str = "") -> None:
        """Say something on the line of the newest fact."""
        self.query_one("#fact", SayLine).say(text, role)
