"""Whom a home trusts for which bundle, and which versions may follow one another."""

from __future__ import annotations

from pathlib import Path

import pytest

from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.subscriptions import Subscriptions
from tests.engine.strategies.bundle_stage import OTHER, basket, bundle


def trusted(home: Path, version: str = "1.1.0") -> Subscriptions:
    known, made = Subscriptions(home), bundle(version)
    known.subscribe(made, made.manifest.fingerprint)
    return known


def code(error: pytest.ExceptionInfo[Refusal]) -> str:
    return error.value.code


def test_a_key_is_trusted_only_with_its_fingerprint_which_the_refusal_shows(tmp_path: Path) -> None:
    known, made = Subscriptions(tmp_path), bundle()
    for given in ("", "0" * 64, made.manifest.fingerprint[:16]):
        with pytest.raises(Refusal) as told:
            known.subscribe(made, given)
        assert code(told) == "UNTRUSTED"
        assert made.manifest.fingerprint in told.value.text
    assert Subscriptions(tmp_path).all() == []
    spelled = ":".join(made.manifest.fingerprint[place : place + 2].upper() for place in range(0, 64, 2))
    known.subscribe(made, spelled)
    (kept,) = Subscriptions(tmp_path).all()
    assert (kept.name, kept.newest, kept.fingerprint) == ("short-straddle", "1.0.0", made.manifest.fingerprint)


def test_what_was_taken_in_is_there_for_the_owner_alone_and_reads_back(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    assert known.bundle("short-straddle", "1.1.0") == bundle("1.1.0")
    for path in (tmp_path / "market").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_another_key_is_refused_for_a_name_that_is_trusted(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    forged = bundle("2.0.0", key=OTHER)
    for work in (
        lambda: known.take("short-straddle", forged),
        lambda: known.subscribe(forged, forged.manifest.fingerprint),
    ):
        with pytest.raises(Refusal) as told:
            work()
        assert code(told) == "OTHER_KEY"


def test_an_older_version_is_refused_and_a_newer_one_taken(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    with pytest.raises(Refusal) as told:
        known.take("short-straddle", bundle("1.0.9"))
    assert code(told) == "DOWNGRADE"
    assert known.take("short-straddle", bundle("1.10.0")).newest == "1.10.0"
    assert list(Subscriptions(tmp_path).of("short-straddle").versions) == ["1.1.0", "1.10.0"]


def test_a_version_cannot_be_published_twice_with_other_words(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    with pytest.raises(Refusal) as told:
        known.take("short-straddle", bundle("1.1.0", what=basket(more='note = "changed"')))
    assert code(told) == "VERSION_REUSED"
    assert known.take("short-straddle", bundle("1.1.0")).newest == "1.1.0"


def test_a_bundle_of_another_name_does_not_update_this_one(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    with pytest.raises(Refusal) as told:
        known.take("short-straddle", bundle("2.0.0", name="other"))
    assert code(told) == "OTHER_BUNDLE"


def test_a_copy_in_the_home_that_was_changed_is_refused(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    file = tmp_path / "market" / "short-straddle" / "1.1.0.toml"
    file.write_text(file.read_text().replace("25%", "90%"))
    with pytest.raises(Refusal) as told:
        known.bundle("short-straddle", "1.1.0")
    assert code(told) == "TAMPERED"


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    known = trusted(tmp_path)
    known.drop("short-straddle")
    assert Subscriptions(tmp_path).all() == []
    assert not (tmp_path / "market" / "short-straddle").exists()
    with pytest.raises(Refusal) as told:
        known.of("short-straddle")
    assert code(told) == "NOT_SUBSCRIBED"
    with pytest.raises(Refusal) as other:
        trusted(tmp_path / "b").bundle("short-straddle", "3.0.0")
    assert code(other) == "NO_VERSION"


def test_a_list_that_cannot_be_read_is_told_and_not_written_over(tmp_path: Path) -> None:
    trusted(tmp_path)
    (tmp_path / "market" / "subscriptions.json").write_text("{")
    with pytest.raises(Refusal) as told:
        Subscriptions(tmp_path)
    assert code(told) == "MARKET_BROKEN"
