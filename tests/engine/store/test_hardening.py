"""C07: what a process holds in memory stays there, also from others of the same user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.link.small_engine import SRC

LOOK = """
import ctypes, os, signal
from optconsole.engine.store.hardening import harden

def held(hardened):
    # a process of an ordinary user; returns its id once it is as it should be
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(12345); os.setuid(12345)
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
        if hardened:
            harden()
        os.write(told, b"1")
        signal.pause()
        os._exit(0)
    os.read(ready, 1)
    return child

def seen(pid):
    # whether another process of that user can read its memory
    child = os.fork()
    if child == 0:
        os.setgid(12345); os.setuid(12345)
        try:
            # its memory itself may be closed to all by the system; what says where that is, is closed by us
            open(f"/proc/{pid}/maps", "rb").read()
            open(f"/proc/{pid}/environ", "rb").read()
        except PermissionError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

children = [held(False), held(True)]
print(*map(seen, children))
for child in children:
    os.kill(child, signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become two ordinary processes")
def test_another_process_of_the_same_user_reads_nothing_of_a_hardened_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env={"PYTHONPATH": SRC}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]


def test_a_hardened_process_leaves_no_core(tmp_path: object) -> None:
    code = (
        "import os, resource; from optconsole.engine.store.hardening import harden, hardened; "
        "harden(); assert hardened(); print(resource.getrlimit(resource.RLIMIT_CORE), flush=True); os.abort()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": SRC},
        cwd=str(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -6
    assert done.stdout.strip() == "(0, 0)"
    assert os.listdir(str(tmp_path)) == []
