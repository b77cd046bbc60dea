"""The link: what a console holds. A local object and a Unix socket offer the same, and nobody above can tell which."""

from __future__ import annotations

from typing import Protocol

from optconsole.engine.ports import EnginePort


class EngineLink(EnginePort, Protocol):
    """An engine port with a lifetime. Methods raise LinkLost once the engine cannot be reached."""

    @property
    def where(self) -> str:
        """How the engine is reached, for the status line: ``local`` or the socket's path."""
        ...

    async def close(self) -> None: ...


class LinkLost(Exception):
    """The engine went away. What it did since is unknown until the link is back."""
