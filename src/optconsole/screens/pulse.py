"""The one repaint timer: it drains the tap and hands changes to what is visible. One paint a beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from optconsole.engine.ports import Tap
from optconsole.link.protocol import LinkLost
from optconsole.screens.mirror import Mirror
from optconsole.screens.terminal import is_remote

LOCAL_HZ: Final = 10.0
REMOTE_HZ: Final = 4.0
SLOWEST_HZ: Final = 1.0
FASTEST_HZ: Final = 20.0


def beat_rate(environ: Mapping[str, str], chosen: float | None = None) -> float:
    """Beats a second: as chosen within 1 and 20, else 4 over SSH and 10 at the machine itself."""
    if chosen is not None:
        return min(max(chosen, SLOWEST_HZ), FASTEST_HZ)
    return REMOTE_HZ if is_remote(environ) else LOCAL_HZ


class View(Protocol):
    """What the pulse feeds: a visible screen or a widget of it."""

    def quote_names(self) -> Iterable[str]:
        """Contracts whose quotes it shows now."""
        ...

    def on_pulse(self, changed: set[str]) -> None:
        """Show the new quotes of ``changed`` and whatever moves with time; at most one refresh a widget."""
        ...


class Pulse:
    """Feeds the visible views once a beat. ``drain`` reads the tap, ``beat`` (on a timer) paints."""

    def __init__(self, mirror: Mirror, hz: float, monotonic: Callable[[], float]) -> None:
        self.mirror = mirror
        self.hz = hz
        self.monotonic = monotonic
        self.last_beat = monotonic()
        self.beats = 0
        self.always: tuple[str, ...] = ()
        """Names that the frame shows whatever the screen."""
        self._views: list[View] = []
        self._dirty: set[str] = set()
        self._fresh = False
        self._tap: Tap | None = None
        self._watched: tuple[str, ...] = ()

    # ------------------------------------------------------------ who is visible

    def attach(self, view: View) -> None:
        """Start to feed a view that has become visible."""
        if view not in self._views:
            self._views.append(view)
        self.rewatch()

    def detach(self, view: View) -> None:
        """Stop to feed a view; from here on it costs nothing."""
        if view in self._views:
            self._views.remove(view)
        self.rewatch()

    def rewatch(self) -> None:
        """Ask the tap for what the visible views and the open positions need; call it when a view's names change."""
        names = {*self.always, *self.mirror.held_names()}
        for view in self._views:
            names.update(view.quote_names())
        wanted = tuple(sorted(names))
        if wanted != self._watched:
            self._watched = wanted
            if self._tap is not None:
                self._tap.watch(wanted)

    @property
    def watched(self) -> tuple[str, ...]:
        """The names asked of the tap."""
        return self._watched

    # ------------------------------------------------------------ the stream

    async def drain(self) -> None:
        """Read the tap for ever, overwriting: what a slow terminal misses is conflated. Raises LinkLost."""
        tap = self.mirror.link.tap(self.hz)
        self._tap = tap
        tap.watch(self._watched)
        try:
            async for beat in tap:
                self._dirty |= self.mirror.take_beat(beat)
                self._fresh = True
                if not self.beats:
                    # the first figures are waited for
                    self.beat()
        finally:
            self._tap = None
            with suppress(LinkLost):
                await tap.close()

    def beat(self) -> None:
        """Hand what has changed to the visible views; nothing happens without one, or without a fresh beat."""
        if not self._fresh or not self._views:
            return
        self._fresh = False
        self.last_beat = self.monotonic()
        changed, self._dirty = self._dirty, set()
        self.beats += 1
        for view in tuple(self._views):
            view.on_pulse(changed)
