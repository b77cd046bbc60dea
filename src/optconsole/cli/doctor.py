"""``optconsole doctor``: what is wrong with this machine or this home, and what to do."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from optconsole.cli.arguments import Parser
from optconsole.cli.checkup import CHECKS, FAIL, OK, WARN, Finding, database
from optconsole.cli.checkup_logins import logins, vault
from optconsole.cli.output import DONE, FAILED, Output, error
from optconsole.config import Settings, load
from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.text import display
from optconsole.link.address import socket_path
from optconsole.link.client import SocketLink
from optconsole.link.protocol import LinkLost
from optconsole.paths import home_dir


def arguments(parser: Parser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Run every check; exit code 1 when one fails. Starts nothing and changes nothing."""
    home = home_dir(args.home, os.environ)
    socket, runs = asyncio.run(_socket(home))
    findings = [
        *(check(home) for check in CHECKS),
        vault(home),
        logins(home),
        socket,
        database(home, _settings(home), runs),
    ]
    failed = [each.name for each in findings if each.verdict == FAIL]
    document: dict[str, object] = {
        "ok": not failed,
        "home": str(home),
        "engine_runs": runs,
        "checks": [
            {"name": each.name, "verdict": each.verdict, "text": display(each.text), "advice": each.advice}
            for each in findings
        ],
    }
    text = f"{', '.join(failed)}: see what to do above."
    out.document(document | ({"code": "DOCTOR", "text": text} if failed else {}), *_lines(findings))
    if failed:
        error("DOCTOR", text, as_json=False)
        return FAILED
    return DONE


def _lines(findings: list[Finding]) -> list[str]:
    marks = {OK: "ok  ", WARN: "WARN", FAIL: "FAIL"}
    width = max(len(each.name) for each in findings)
    lines = []
    for each in findings:
        lines.append(f"{marks[each.verdict]}  {each.name.ljust(width)}  {display(each.text)}")
        if each.advice:
            lines.append(f"      {' ' * width}  → {each.advice}")
    return lines


def _settings(home: Path) -> Settings:
    try:
        return load(home)
    except Refusal:  # the configuration's own check has said so already
        return Settings()


async def _socket(home: Path) -> tuple[Finding, bool]:
    """Whether an engine answers. Returns the finding, and whether one holds the home's database."""
    try:
        link = await SocketLink.connect(socket_path(home))
    except Refusal as refusal:
        if refusal.code == "NO_ENGINE":
            return Finding("engine", OK, "none runs here"), False
        return Finding("engine", FAIL, refusal.text, "See the engine's log, or stop it and start it again."), True
    try:
        async with asyncio.timeout(5):
            vitals = (await link.snapshot()).vitals
    except (TimeoutError, LinkLost):
        return Finding("engine", FAIL, "it does not answer", "See its log, or stop it and start it again."), True
    finally:
        await link.close()
    return Finding("engine", OK, f"runs, {vitals.world}, store {vitals.store.value}"), True
