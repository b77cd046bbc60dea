"""What an adapter sees of the vault: the secrets of its own account, read anew at every use."""

from __future__ import annotations

from collections.abc import Callable

from optconsole.engine.model.errors import Refusal
from optconsole.engine.model.secrets import Secret
from optconsole.engine.store.vault import Vault


class VaultCredentials:
    """One account's secrets as they are at this moment. A locked vault has none."""

    def __init__(self, vault: Vault, account: str) -> None:
        self._vault = vault
        self._account = account

    def get(self, name: str) -> Secret | None:
        """The current value; None where there is none, it has expired, or the vault is locked."""
        try:
            return self._vault.get(self._account, name)
        except Refusal:  # locked, or its file was taken away a moment ago
            return None

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Tell ``listener`` whenever something of this account changed; call what is returned to end that."""
        return self._vault.subscribe(lambda accounts: listener() if self._account in accounts else None)
