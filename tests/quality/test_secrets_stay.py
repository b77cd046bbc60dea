"""Secrets stay where they are used (reliability C02, C03, C05, C10): the rooms that may open one are few and named."""

from __future__ import annotations

import ast
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src" / "optconsole"
MAY_REVEAL = {
    "cli/asking.py",  # what a login asks for goes to the adapter that asked
    "engine/model/secrets.py",
    "engine/store/passphrase.py",
    "engine/store/vault_entries.py",
    "engine/store/vault_rows.py",
    "link/client.py",  # the passphrase, over the engine's own socket
    "runtime/postbacks.py",  # checksums of what came in
    "runtime/standby.py",  # the day's tokens, into the kernel's memory
}
TRUSTING_ANYBODY = {"CERT_NONE", "_create_unverified_context", "disable_warnings"}


def holding(*words: str) -> dict[str, str]:
    """Modules in which one of the words stands, by their place in the package."""
    texts = {str(path.relative_to(SRC)): path.read_text() for path in sorted(SRC.rglob("*.py"))}
    return {name: text for name, text in texts.items() if any(word in text for word in words)}


def test_only_adapters_and_the_named_rooms_reveal_a_secret() -> None:
    found = {name for name in holding(".reveal(") if not name.startswith("brokers/")}
    assert found == MAY_REVEAL


def test_adapters_write_no_log() -> None:
    """Their words reach the trader as refusals and evidence; a log line next to a token is one slip from a leak."""
    assert [name for name in holding("import logging", "from logging") if name.startswith("brokers/")] == []


def test_nothing_switches_the_check_of_certificates_off() -> None:
    for name, text in holding("verify", "check_hostname", "ssl=", *TRUSTING_ANYBODY).items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                assert node.attr not in TRUSTING_ANYBODY, name
            if isinstance(node, ast.keyword) and node.arg in ("verify", "ssl", "check_hostname"):
                assert not (isinstance(node.value, ast.Constant) and node.value.value is False), name
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is False:
                names = [each.attr for each in node.targets if isinstance(each, ast.Attribute)]
                assert "check_hostname" not in names, name
