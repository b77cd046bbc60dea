"""``optconsole market …`` from key to update, as a publisher and a subscriber would run it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.inside import Ran, optconsole
from tests.e2e.process import EngineProcess
from tests.engine.strategies.bundle_stage import TEXT


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publisher's folder with a key, and 1.0.0 and 1.1.0 of one bundle."""
    shop = tmp_path_factory.mktemp("shop")
    made = optconsole(shop, "market", "keygen", str(shop / "key"), "--json")
    assert made.code == 0, made.err
    published(shop, "1.0.0", TEXT.replace("{more}", "") + '\n[[account]]\nname = "mine"\nmultiplier = 9\n')
    published(shop, "1.1.0", TEXT.replace("{more}", "").replace("15:15", "15:10"))
    return shop


def published(shop: Path, version: str, text: str) -> Ran:
    file = shop / f"{version}.source"
    file.write_text(text)
    done = optconsole(
        shop,
        *("market", "publish", str(file), "--key", str(shop / "key"), "--name", "short-straddle"),
        *("--version", version, "--author", "A. Trader", "--out", str(shop / f"{version}.zip")),
    )
    assert done.code == 0, done.err
    return done


def fingerprint(shop: Path) -> str:
    found: str = optconsole(shop, "market", "verify", str(shop / "1.0.0.zip"), "--json").document["fingerprint"]
    return found


def test_the_key_is_made_for_its_owner_alone_and_never_shown(tmp_path: Path) -> None:
    done = optconsole(tmp_path, "market", "keygen", str(tmp_path / "key"))
    assert done.code == 0
    assert os.stat(tmp_path / "key").st_mode & 0o777 == 0o600
    assert "PRIVATE" not in done.out + done.err
    assert optconsole(tmp_path, "market", "keygen", str(tmp_path / "key")).code == 1


def test_a_publisher_is_trusted_only_by_fingerprint(shop: Path, tmp_path: Path) -> None:
    home, path = tmp_path / "home", str(shop / "1.0.0.zip")
    untrusted = optconsole(home, "market", "subscribe", path)
    assert untrusted.code == 1
    assert "UNTRUSTED" in untrusted.err
    assert fingerprint(shop) in untrusted.err
    assert optconsole(home, "market", "subscribe", path, "--trust", fingerprint(shop)).code == 0
    (known,) = optconsole(home, "market", "list", "--json").document["subscriptions"]
    assert (known["name"], known["newest"], known["pin"]) == ("short-straddle", "1.0.0", "")


def test_a_bundle_that_needs_a_strategy_which_is_not_registered_is_refused(shop: Path, tmp_path: Path) -> None:
    more = 'plugin = "nobody-has-it"'
    published(shop, "2.0.0", TEXT.replace("{more}", more))
    told = optconsole(tmp_path, "market", "verify", str(shop / "2.0.0.zip"))
    assert "nobody-has-it" in told.out
    done = optconsole(tmp_path, "market", "subscribe", str(shop / "2.0.0.zip"), "--trust", fingerprint(shop))
    assert done.code == 1
    assert "PLUGIN_MISSING" in done.err


def test_from_pin_to_update_with_accounts_of_ones_own(shop: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert optconsole(home, "market", "subscribe", str(shop / "1.0.0.zip"), "--trust", fingerprint(shop)).code == 0
    engine = EngineProcess(home, "--from", "10:00")
    try:
        pin = ("market", "pin", "short-straddle", "1.0.0", "--account", "paper", "--multiplier", "2")
        assert optconsole(home, *pin).code == 0
        seen = optconsole(home, "market", "diff", "short-straddle", str(shop / "1.1.0.zip"), "--json").document
        assert seen["changes"] == ["strategy morning, exit: 15:15 → 15:10"]
        assert shown(home)["pin"] == "1.0.0"
        done = optconsole(home, "market", "update", "short-straddle", str(shop / "1.1.0.zip"))
        assert done.code == 0, done.err
        assert "strategy morning, exit: 15:15 → 15:10" in done.out
        after = shown(home)
        assert (after["pin"], after["version"], after["accounts"]) == (
            "1.1.0",
            2,
            [{"account": "paper", "multiplier": 200}],
        )
        assert after["source"] == f"short-straddle@{fingerprint(shop)[:16]}"
        back = optconsole(home, "market", "update", "short-straddle", str(shop / "1.0.0.zip"))
        assert (back.code, "DOWNGRADE" in back.err) == (1, True)
        assert optconsole(home, "market", "pin", "short-straddle", "1.0.0").code == 0
        assert shown(home)["pin"] == "1.0.0"
        taken = optconsole(home, "market", "pin", "short-straddle", "1.1.0", "--as", "mine", "--account", "paper")
        assert taken.code == 0
    finally:
        engine.stop()
    assert optconsole(home, "market", "unsubscribe", "short-straddle").code == 0


def shown(home: Path) -> dict[str, object]:
    found: dict[str, object] = optconsole(home, "basket", "show", "straddle", "--json").document
    return found


def test_a_basket_of_ones_own_is_not_written_over(shop: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert optconsole(home, "market", "subscribe", str(shop / "1.0.0.zip"), "--trust", fingerprint(shop)).code == 0
    own = tmp_path / "own.toml"
    own.write_text(TEXT.replace("{more}", ""))
    engine = EngineProcess(home, "--from", "10:00")
    try:
        assert optconsole(home, "basket", "import", str(own)).code == 0
        done = optconsole(home, "market", "pin", "short-straddle", "1.0.0")
        assert (done.code, "NAME_TAKEN" in done.err) == (1, True)
    finally:
        engine.stop()
