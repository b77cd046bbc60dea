"""Running something beside the keys, so that nothing the trader does waits for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from textual.dom import DOMNode
from textual.worker import WorkType


def beside(
    node: DOMNode, work: Callable[[], Coroutine[None, None, None]], *, group: str = "default", exclusive: bool = False
) -> None:
    """Run ``work`` while ``node`` lives; with ``exclusive`` in place of what the group ran before.

    It is called only once it runs: what never comes to run, as the console leaves, is no coroutine yet.
    """
    asked: WorkType[None] = work
    node.run_worker(asked, group=group, exclusive=exclusive)
