"""An account's section of config.toml as the settings its adapter takes: what is unset there is the broker's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from optconsole.sections import BrokerAccount

if TYPE_CHECKING:  # an adapter is loaded by who has an account there
    from optconsole.brokers.angelone.settings import AngelSettings
    from optconsole.brokers.shoonya.settings import ShoonyaSettings
    from optconsole.brokers.zerodha.settings import KiteSettings


def kite_settings(account: BrokerAccount) -> KiteSettings:
    """Zerodha's."""
    from optconsole.brokers.zerodha.settings import KiteSettings

    return KiteSettings(
        **_given(
            rest_url=account.rest_url,
            ws_url=account.ws_url,
            login_url=account.login_url,
            master_url=account.master_url,
            algo_id=account.algo_id,
        )
    )


def angel_settings(account: BrokerAccount) -> AngelSettings:
    """Angel One's."""
    from optconsole.brokers.angelone.settings import AngelSettings

    return AngelSettings(
        client_id=account.client_id,
        **_given(
            rest_url=account.rest_url,
            ws_url=account.ws_url,
            order_ws_url=account.order_ws_url,
            master_url=account.master_url,
        ),
    )


def shoonya_settings(account: BrokerAccount) -> ShoonyaSettings:
    """Shoonya's."""
    from optconsole.brokers.shoonya.settings import ShoonyaSettings

    return ShoonyaSettings(
        user=account.client_id,
        **_given(
            rest_url=account.rest_url,
            ws_url=account.ws_url,
            masters_url=account.master_url,
            login_url=account.login_url,
            algo_id=account.algo_id,
        ),
    )


def roots_of(account: BrokerAccount) -> Path | None:
    """The certificates to trust for a rehearsal; None is the system's."""
    return Path(account.roots).expanduser() if account.roots else None


def _given(**values: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
