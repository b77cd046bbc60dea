"""Kite's postbacks: each change of an order as a signed POST to the address an app has registered."""

from __future__ import annotations

import asyncio

import httpx
import msgspec

from optconsole.brokers.rehearsal.kite.book import Row

PATIENCE = 3.0


class Postbacks:
    """Posts in order, one at a time; what the app does not take is lost, as at the broker."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.lost = 0

    def post(self, row: Row) -> None:
        """Send one on its way; nothing where no address is registered."""
        if not self._url:
            return
        self._waiting.put_nowait(msgspec.json.encode(row))
        if self._task is None:
            self._task = asyncio.create_task(self._carry(), name="postbacks")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _carry(self) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            while True:
                body = await self._waiting.get()
                try:
                    await client.post(self._url, content=body, headers={"content-type": "application/json"})
                except httpx.HTTPError:
                    self.lost += 1
