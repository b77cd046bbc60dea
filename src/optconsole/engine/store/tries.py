"""How often a wrong passphrase may be tried: counted before the try, kept over restarts, the same for every door."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from optconsole.engine.clock import Clock
from optconsole.engine.model.errors import Refusal
from optconsole.engine.store.files import replace_file

FILE: Final = "vault.tries"
FREE: Final = 10
"""Failures after which each further try has to wait ``LONGEST``."""
LONGEST: Final = timedelta(minutes=15)


class Tries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Failures since the last success, and when the next try may be made."""

    failures: Annotated[int, msgspec.Meta(ge=0)]
    not_before: Annotated[datetime, msgspec.Meta(tz=True)]


_DECODER: Final = msgspec.json.Decoder(Tries)


class Lockout:
    """The count of a vault. Its file is only read and written under the vault's lock."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / FILE
        self._clock = clock

    @property
    def failures(self) -> int:
        """Wrong tries since the last right one."""
        return self._read().failures

    def wait(self) -> float:
        """Seconds until a try may be made; 0 when now."""
        tries = self._read()
        if not tries.failures:
            return 0.0
        left = tries.not_before - self._clock.now()
        # a clock that was set back must not lock the trader out for longer than the rule says
        return max(0.0, min(left, LONGEST).total_seconds())

    def require_due(self) -> None:
        """Raises Refusal(VAULT_LOCKOUT) while it is too early for a try."""
        left = self.wait()
        if left:
            raise Refusal(
                "VAULT_LOCKOUT",
                f"After {self.failures} wrong passphrases the next try is in {_spoken(left)}; nothing was tried now.",
            )

    def begin(self) -> None:
        """Count a try as failed before it is made: who kills the process in between has made it.

        Raises Refusal(VAULT_LOCKOUT) while it is too early.
        """
        self.require_due()
        failures = self._read().failures + 1
        pause = LONGEST if failures >= FREE else timedelta(seconds=2 ** (failures - 1))
        self._write(Tries(failures=failures, not_before=self._clock.now() + pause))

    def succeed(self) -> None:
        """The passphrase was right."""
        self._write(Tries(failures=0, not_before=self._clock.now()))

    def _read(self) -> Tries:
        try:
            return _DECODER.decode(self._path.read_bytes())
        except FileNotFoundError:
            return Tries(failures=0, not_before=self._clock.now())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            # who spoils the count gains nothing: it stands at its end until a try is right
            return Tries(failures=FREE - 1, not_before=self._clock.now())

    def _write(self, tries: Tries) -> None:
        try:
            replace_file(self._path, msgspec.json.encode(tries))
        except OSError as error:
            raise Refusal("VAULT_NOT_WRITTEN", f"{self._path} cannot be written: {error.strerror}.") from None


def _spoken(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else f"{-(-whole // 60)} min"
