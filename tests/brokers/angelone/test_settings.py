"""Where an account is reached: the broker's own addresses, or all of them elsewhere."""

from __future__ import annotations

from optconsole.brokers.angelone.settings import AngelSettings

MASTER_PATH = "/OpenAPI_File/files/OpenAPIScripMaster.json"


def test_the_broker_s_own_addresses_are_the_default() -> None:
    settings = AngelSettings()
    assert (settings.rest_url, settings.ws_url, settings.order_ws_url, settings.master_url) == (
        "https://apiconnect.angelone.in",
        "wss://smartapisocket.angelone.in/smart-stream",
        "wss://tns.angelone.in/smart-order-update",
        f"https://margincalculator.angelone.in{MASTER_PATH}",
    )
    assert (settings.tokens_a_socket, settings.sockets, settings.quotes_a_call) == (1000, 3, 50)


def test_a_rehearsal_s_address_takes_all_the_others_with_it() -> None:
    for settings in (
        AngelSettings(rest_url="http://127.0.0.1:9000"),
        AngelSettings(rest_url="http://127.0.0.1:9000", ws_url="ws://127.0.0.1:9000"),
        AngelSettings(rest_url="http://127.0.0.1:9000", ws_url="ws://127.0.0.1:9000/smart-stream"),
    ):
        assert settings.ws_url == "ws://127.0.0.1:9000/smart-stream"
        assert settings.order_ws_url == "ws://127.0.0.1:9000/smart-order-update"
        assert settings.master_url == f"http://127.0.0.1:9000{MASTER_PATH}"
    assert AngelSettings(rest_url="https://localhost:1").order_ws_url == "wss://localhost:1/smart-order-update"


def test_an_address_that_is_given_in_full_is_taken_as_it_is() -> None:
    settings = AngelSettings(
        ws_url="wss://a.example/quotes", order_ws_url="wss://b.example/orders", master_url="https://c.example/m.json"
    )
    assert (settings.ws_url, settings.order_ws_url, settings.master_url) == (
        "wss://a.example/quotes",
        "wss://b.example/orders",
        "https://c.example/m.json",
    )
