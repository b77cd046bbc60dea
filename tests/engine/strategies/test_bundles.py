"""Signed bundles: what is published reads back, and whatever was done to it is refused with its reason."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from optconsole.engine.model.baskets import Allocation
from optconsole.engine.model.errors import Refusal
from optconsole.engine.strategies.bundle_files import LARGEST, one_file, read_bundle, write_bundle
from optconsole.engine.strategies.bundles import Bundle, Manifest, checked, fingerprint_of, manifest_text, numbers
from optconsole.engine.strategies.publisher_key import new_key, read_key
from tests.engine.strategies.bundle_stage import KEY, OTHER, TEXT, basket, bundle, folder, linked, zipped


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as told:
        work()
    return told.value.code


@pytest.mark.parametrize("name", ["b.zip", "b.toml", "b"])
def test_a_bundle_reads_back_from_each_of_its_forms(tmp_path: Path, name: str) -> None:
    made = bundle(author="A. Trader", notes="line one\nline two")
    write_bundle(made, tmp_path / name)
    assert read_bundle(tmp_path / name) == made
    assert refused(lambda: write_bundle(made, tmp_path / name)) == "FILE_THERE"


def test_the_same_bundle_is_the_same_zip(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_bundle(bundle(), tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_accounts_and_amounts_of_the_publisher_are_left_out() -> None:
    mine = msgspec.structs.replace(
        basket(), allocations=(Allocation(account="secret", multiplier=500),), capital=100_00, max_loss=50_00
    )
    made = bundle(what=mine)
    assert "secret" not in one_file(made)
    assert (made.basket.allocations, made.basket.capital, made.basket.max_loss) == ((), None, None)


def test_a_leg_that_names_an_account_is_not_published() -> None:
    routed = basket(TEXT.replace('id = "pe"', 'id = "pe"\naccount = "mine"'))
    assert refused(lambda: bundle(what=routed)) == "CARRIES_ACCOUNTS"


def forged(made: Bundle, text: str) -> Bundle:
    """A text of any content, signed as it should be."""
    import base64
    import hashlib

    from optconsole.engine.strategies.bundles import _signed

    manifest = msgspec.structs.replace(made.manifest, sha256=hashlib.sha256(text.encode()).hexdigest())
    signature = base64.b64encode(KEY.sign(_signed(manifest))).decode()
    return msgspec.structs.replace(made, manifest=msgspec.structs.replace(manifest, signature=signature), text=text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (TEXT.replace("{more}", "") + '\n[[account]]\nname = "paper"\n', "CARRIES_ACCOUNTS"),
        (TEXT.replace("{more}", "").replace('id = "pe"', 'id = "pe"\naccount = "you"'), "CARRIES_ACCOUNTS"),
        (TEXT.replace("{more}", "").replace('"straddle"\n', '"straddle"\nmax_loss = 10\n', 1), "CARRIES_ACCOUNTS"),
        (TEXT.replace("{more}", 'colour = "red"'), "BAD_BASKET"),
        (TEXT.replace("{more}", "").replace("15:15", "09:00"), "BAD_BASKET"),
        ("not toml at all =", "BAD_BASKET"),
    ],
)
def test_a_signed_text_that_should_not_be_in_it_is_refused(text: str, code: str) -> None:
    made = forged(bundle(), text)
    assert refused(lambda: checked(made.manifest, made.text)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": "9.0.0"}, "BAD_SIGNATURE"),
        ({"author": "somebody else"}, "BAD_SIGNATURE"),
        ({"notes": "trust me"}, "BAD_SIGNATURE"),
        ({"name": "other-name"}, "BAD_SIGNATURE"),
        ({"signature": "AAAA"}, "BAD_SIGNATURE"),
        ({"signature": "%%%"}, "BAD_BUNDLE"),
        ({"key": "AAAA"}, "BAD_BUNDLE"),
        ({"fingerprint": "0" * 64}, "TAMPERED"),
        ({"sha256": "0" * 64}, "TAMPERED"),
        ({"bundle": 2}, "BAD_BUNDLE"),
        ({"name": "../../etc"}, "BAD_NAME"),
        ({"version": "../1"}, "BAD_VERSION"),
        ({"author": "x" * 81}, "BAD_BUNDLE"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(changes: dict[str, object], code: str) -> None:
    made = bundle()
    assert refused(lambda: checked(msgspec.structs.replace(made.manifest, **changes), made.text)) == code


def test_a_changed_basket_is_tampered() -> None:
    made = bundle()
    assert refused(lambda: checked(made.manifest, made.text.replace("25%", "90%"))) == "TAMPERED"


def test_a_key_put_in_place_of_the_publishers_does_not_carry_its_fingerprint() -> None:
    mine, theirs = bundle(), bundle(key=OTHER)
    swapped = msgspec.structs.replace(theirs.manifest, fingerprint=mine.manifest.fingerprint)
    assert refused(lambda: checked(swapped, theirs.text)) == "TAMPERED"


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("../basket.toml", "ZIP_SLIP"),
        ("/etc/cron.d/x", "ZIP_SLIP"),
        ("a/../../x.toml", "ZIP_SLIP"),
        ("..\\x.toml", "ZIP_SLIP"),
        ("C:x.toml", "ZIP_SLIP"),
        ("strategy.py", "CARRIES_CODE"),
        ("lib.SO", "CARRIES_CODE"),
        ("model.pkl", "CARRIES_CODE"),
        ("readme.txt", "STRANGE_FILE"),
        ("sub/basket.toml", "STRANGE_FILE"),
    ],
)
def test_a_zip_with_more_in_it_is_refused(tmp_path: Path, member: str, code: str) -> None:
    made = zipped(tmp_path / "b.zip", bundle(), **{member: "x"})
    assert refused(lambda: read_bundle(made)) == code
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.zip"]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.toml", manifest_text(bundle().manifest))
        archive.writestr("basket.toml", b"#" * (LARGEST * 100))
    assert path.stat().st_size < LARGEST
    assert refused(lambda: read_bundle(path)) == "TOO_LARGE"


def test_a_zip_that_lies_about_its_size_is_cut_off_at_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.toml", manifest_text(bundle().manifest))
        archive.writestr("basket.toml", b"#" * (LARGEST * 3))
    size = (LARGEST * 3).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    assert refused(lambda: read_bundle(path)) in ("BAD_ZIP", "TAMPERED", "TOO_LARGE")


@pytest.mark.parametrize("name", ["b.toml", "b.zip"])
def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK" + b"x" * LARGEST if name == "b.zip" else b"#" * (LARGEST + 1))
    assert refused(lambda: read_bundle(path)) == "TOO_LARGE"


def test_a_zip_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    made = bundle()
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("bundle.toml", manifest_text(made.manifest))
        archive.writestr("basket.toml", made.text)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("basket.toml", "other")
    assert refused(lambda: read_bundle(tmp_path / "b.zip")) == "DUPLICATE_FILE"


def test_links_are_refused_wherever_they_are(tmp_path: Path) -> None:
    made = bundle()
    assert refused(lambda: read_bundle(linked(tmp_path / "l.zip", made))) == "SYMLINK"
    inside = folder(tmp_path / "f", made)
    (inside / "basket.toml").rename(tmp_path / "real.toml")
    (inside / "basket.toml").symlink_to(tmp_path / "real.toml")
    assert refused(lambda: read_bundle(inside)) == "SYMLINK"
    whole = folder(tmp_path / "g", made)
    (tmp_path / "h").symlink_to(whole)
    assert refused(lambda: read_bundle(tmp_path / "h")) == "SYMLINK"


def test_a_folder_with_code_or_without_its_parts_is_refused(tmp_path: Path) -> None:
    made = folder(tmp_path / "f", bundle())
    (made / "evil.py").write_text("raise SystemExit")
    assert refused(lambda: read_bundle(made)) == "CARRIES_CODE"
    (made / "evil.py").unlink()
    (made / "basket.toml").unlink()
    assert refused(lambda: read_bundle(made)) == "MISSING_FILE"


def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.toml")
    assert refused(lambda: read_bundle(tmp_path / "b.toml")) == "NOT_A_FILE"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "BAD_BUNDLE"),
        (b"\xff\xfe", "NOT_TEXT"),
        (b"PK\x03\x04 and no more", "BAD_ZIP"),
        (b"a = 1", "BAD_BUNDLE"),
        (b"a = " + b"[" * 5_000, "BAD_BUNDLE"),
    ],
)
def test_what_is_no_bundle_is_told_so(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "x").write_bytes(content)
    assert refused(lambda: read_bundle(tmp_path / "x")) == code


def test_a_manifest_alone_has_no_basket(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(manifest_text(bundle().manifest))
    assert refused(lambda: read_bundle(tmp_path / "m.toml")) == "MISSING_FILE"
    assert refused(lambda: read_bundle(tmp_path / "none.toml")) == "NO_FILE"


def test_versions_are_numbers_and_not_words() -> None:
    assert numbers("1.10.0") > numbers("1.9.9")
    for wrong in ("1", "1.0", "1.0.0-a", "01.0.0", "1.0.0\n", "٣.0.0"):
        assert refused(lambda given=wrong: numbers(given)) == "BAD_VERSION"


def test_a_key_is_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "p.key"
    made = new_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert fingerprint_of(read_key(path).public_key()) == fingerprint_of(made.public_key())
    assert refused(lambda: new_key(path)) == "FILE_THERE"
    path.chmod(0o640)
    assert refused(lambda: read_key(path)) == "KEY_EXPOSED"
    path.chmod(0o600)
    path.write_text("no key")
    assert refused(lambda: read_key(path)) == "BAD_KEY"
    assert refused(lambda: read_key(tmp_path / "none")) == "NO_FILE"


def test_a_manifest_has_no_other_fields() -> None:
    said = msgspec.to_builtins(bundle().manifest)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**said, "run": "rm"}, Manifest)
    assert isinstance(KEY, Ed25519PrivateKey)
