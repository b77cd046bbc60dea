"""What an adapter sees of the vault: the secrets of its own account, read anew at every use."""

from __future__ import annotations

from collections.abc import Callable

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.vault import Vault

Behind = Callable[[str, str], Secret | None]
"""What an account's secret of a name is elsewhere."""


class VaultCredentials:
    """One account's secrets as they are at this moment. While the vault is locked, what is ``behind`` it is asked."""

    def __init__(self, vault: Vault, account: str, behind: Behind | None = None) -> None:
        self._behind = behind
        self._vault = vault
        self._account = account

    def get(self, name: str) -> Secret | None:
        """The current value; None where there is none or it has expired."""
        try:
            return self._vault.get(self._account, name)
        except Refusal:  # locked, or its file was taken away a moment ago
            return None if self._behind is None else self._behind(self._account, name)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Tell ``listener`` whenever something of this account changed; call what is returned to end that."""
        return self._vault.subscribe(lambda accounts: listener() if self._account in accounts else None)
