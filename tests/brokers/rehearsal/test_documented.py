"""What docs/rehearsal.md tells is what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import msgspec

from optconsole.brokers.rehearsal.control import Control
from optconsole.brokers.rehearsal.faults import Fault, read_faults
from optconsole.brokers.rehearsal.serve import Served
from optconsole.sections import BrokerAccount

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "rehearsal.md").read_text()
SHARED = {"op", "when", "at", "until", "nth", "times", "p"}


def test_every_verb_is_told_with_what_it_takes() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|[^|]*\|([^|]*)\|$", TEXT, re.MULTILINE)
    told = {verb: set(re.findall(r"`(\w+)`", own)) for verb, own in rows}
    known = {}
    for kind in get_args(Fault):
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        known[info.tag] = {field.name for field in info.fields} - SHARED
    assert told == known


def test_the_example_of_faults_can_be_read(tmp_path: Path) -> None:
    example = tmp_path / "faults.toml"
    example.write_text(re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0])
    assert len(read_faults(example).faults) == 4


def test_the_example_of_an_account_is_one() -> None:
    section = re.findall(r"```\n(\[accounts.*?)```", TEXT, re.DOTALL)[0]
    BrokerAccount.model_validate(tomllib.loads(section)["accounts"]["rehearsal"])


async def test_every_control_call_is_told(served: Served) -> None:
    control = Control("t", served.dialect, served.market, served.plan, served.wire)
    told = set(re.findall(r"`(GET|POST|DELETE) /_control/(\w+)`", TEXT))
    assert told == set(control.calls())
