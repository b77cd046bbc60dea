"""Accounts: where orders go, and whether the money is real."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Mode(StrEnum):
    """What an account's orders do. Part of every order's route, never switched on a running account."""

    PAPER = "PAPER"
    LIVE = "LIVE"
    REPLAY = "REPLAY"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account at one broker. ``capital`` is the opening cash in paise; ``group`` whose money it is, if anyone's."""

    id: str
    broker: str
    mode: Mode
    capital: int
    group: str = ""


class Funds(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's own word on money, in paise."""

    account: str
    cash: int
    margin_used: int

    @property
    def free(self) -> int:
        """What can still be used for margin and premium."""
        return self.cash - self.margin_used
