"""Dialogs that know when they are leaving: what comes late must neither look for widgets nor answer twice."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.messages import Prune
from textual.screen import ModalScreen, ScreenResultType


class Dialog(ModalScreen[ScreenResultType]):
    """A modal screen that is dismissed once. ``gone`` is True from the first moment of removal on."""

    gone = False

    async def on_prune(self, event: Prune) -> None:
        """Textual's word that the screen is about to lose its widgets."""
        self.gone = True

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave with a result, if this is the screen on top.

        Textual takes away whatever is on top: the second of two Enters would close the screen beneath, or end the
        console where none is left.
        """
        return super().dismiss(result) if self.is_active else AwaitComplete()
