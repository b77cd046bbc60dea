"""The secret type (reliability C03): no way of writing a value down writes a secret down."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import reprlib
import string
import traceback
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optconsole.engine.model.secrets import MASK, Secret

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="•()Secret '\"[]{}<>,:"), min_size=6, max_size=60)


class Holder(msgspec.Struct):
    token: Secret


WAYS: dict[str, Callable[[Secret], object]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": format,
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s} {secret!a} {secret:>80} {secret:s}",
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),  # noqa: UP031
    "str.format": lambda secret: "{0} {0!r} {0:>3}".format(secret),  # noqa: UP032
    "template": lambda secret: string.Template("$s").substitute(s=secret),
    "list": lambda secret: str([secret, {"token": secret}, (secret,)]),
    "pprint": lambda secret: pprint.pformat({"token": secret}),
    "reprlib": reprlib.repr,
    "struct": lambda secret: repr(Holder(secret)),
    "log": lambda secret: logging.LogRecord("x", 20, "f", 1, "%s %r", (secret, secret), None).getMessage(),
    "dir": dir,
    "exception": lambda secret: "".join(traceback.format_exception(ValueError(secret))),
    "join": lambda secret: "".join(map(str, [secret])),
}

REFUSING: dict[str, Callable[[Secret], object]] = {
    "pickle": pickle.dumps,
    "pickle 2": lambda secret: pickle.dumps({"a": [secret]}, protocol=2),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "json": json.dumps,
    "msgspec json": msgspec.json.encode,
    "msgspec msgpack": msgspec.msgpack.encode,
    "msgspec struct": lambda secret: msgspec.json.encode(Holder(secret)),
    "builtins": lambda secret: msgspec.to_builtins(secret),
    "bytes": lambda secret: bytes(secret),  # type: ignore[call-overload]
    "vars": vars,
    "iter": lambda secret: list(secret),  # type: ignore[call-overload]
    "plus": lambda secret: "token " + secret,
    "index": lambda secret: secret[0],  # type: ignore[index]
    "setattr": lambda secret: setattr(secret, "text", "x"),
}


@pytest.mark.parametrize("way", WAYS)
@given(text=TEXTS)
def test_no_format_shows_the_text(way: str, text: str) -> None:
    shown = str(WAYS[way](Secret(text)))
    assert text not in shown
    assert ascii(text)[1:-1] not in shown


@pytest.mark.parametrize("way", REFUSING)
@given(text=TEXTS)
def test_what_would_carry_the_text_away_is_refused(way: str, text: str) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        REFUSING[way](Secret(text))
    assert text not in str(caught.value)


@given(one=TEXTS, two=TEXTS)
def test_secrets_are_equal_as_their_texts_are(one: str, two: str) -> None:
    assert (Secret(one) == Secret(two)) is (one == two)
    assert Secret(one) == Secret(one)
    assert Secret(one) != one
    assert len({Secret(one), Secret(one)}) == 1


def test_a_secret_is_revealed_by_name_alone() -> None:
    assert Secret("x").reveal() == "x"
    assert str(Secret("x")) == MASK
    assert bool(Secret("x"))
    assert not Secret("")


def test_a_secret_that_is_no_unicode_can_still_be_compared() -> None:
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("?")
