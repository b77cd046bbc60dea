"""What all tests share: where recorded market data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recorded data; a test that asks for it is skipped where there is none."""
    named = os.environ.get("OPTCONSOLE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("no recorded market data here: name its folder in OPTCONSOLE_TEST_DATA")
    return folder.resolve()
