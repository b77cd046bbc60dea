"""What may be in the vault, and what may be told of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret

ACCOUNT: Final = r"[A-Za-z0-9_-]{1,20}"
NAME: Final = r"[a-z][a-z0-9_]{0,39}"
LONGEST_VALUE: Final = 8192


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What may be told of a secret: all but the secret."""

    account: str
    name: str
    version: int
    written: datetime
    expires: datetime | None


def require_names(account: str, name: str) -> None:
    """Raises Refusal(VAULT_NAME)."""
    if not re.fullmatch(ACCOUNT, account):
        raise Refusal("VAULT_NAME", "An account's name has 1 to 20 letters, digits, - and _.")
    if not re.fullmatch(NAME, name):
        raise Refusal("VAULT_NAME", "A secret's name has up to 40 small letters, digits and _, such as api_key.")


def require_storable(account: str, name: str, value: Secret) -> None:
    """Raises Refusal(VAULT_NAME | VAULT_VALUE)."""
    require_names(account, name)
    if not 0 < _size(value) <= LONGEST_VALUE or "\0" in value.reveal():
        raise Refusal("VAULT_VALUE", f"The value of {name} is not text of 1 to {LONGEST_VALUE} bytes.")


def _size(value: Secret) -> int:
    """Bytes; 0 for what is not Unicode text."""
    try:
        return len(value.reveal().encode())
    except UnicodeEncodeError:
        return 0
