"""Memory of an engine's threads, told by the allocator itself."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

TOLD = """
import ctypes, threading
from optconsole.runtime.heap import one_heap
{first}
def work():
    kept = [bytes(2000) for _ in range(5000)]
for _ in range(3):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="there is no glibc here")
def test_threads_of_an_engine_share_one_heap() -> None:
    def heaps(first: str) -> int:
        ran = [sys.executable, "-c", TOLD.format(first=first)]
        return subprocess.run(ran, capture_output=True, text=True, check=True).stderr.count("Arena ")

    assert heaps("") > 1
    assert heaps("one_heap()") == 1
