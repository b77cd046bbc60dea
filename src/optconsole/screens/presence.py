"""Knowing that one is leaving: answers that come while a dialog is taken down must not look for its widgets."""

from __future__ import annotations

from textual.messages import Prune


class Present:
    """Mixed into screens before Textual's own class. ``gone`` is True from the first moment of removal on."""

    gone = False

    async def on_prune(self, event: Prune) -> None:
        """Textual's word that the screen is about to lose its widgets."""
        self.gone = True
