"""Keys: found in the environment or a file, shown nowhere, and what they may do."""

import copy
import json
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.keys import (
    VARIABLE,
    Key,
    KeyUnusableError,
    Rights,
    key_from_environment,
    key_from_file,
    rights_of,
)
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.user import User

PAIR = Keypair.from_seed(bytes(range(32)))
SECRETS = (str(PAIR), bytes(PAIR).hex(), json.dumps(list(bytes(PAIR)))[:40], repr(bytes(PAIR))[2:30])


def test_from_the_environment(tmp_path: Path) -> None:
    assert key_from_environment({VARIABLE: f" {PAIR}\n"}).address == PAIR.pubkey()
    file = tmp_path / "id.json"
    file.write_text(json.dumps(list(bytes(PAIR))))
    assert key_from_environment({VARIABLE: str(file)}).keypair == PAIR
    assert key_from_file(file).address == PAIR.pubkey()


@pytest.mark.parametrize(
    "text", ["", "  ", "abc", str(PAIR)[:-1], str(PAIR) + "1", str(PAIR).replace("3", "4"), "0OIl"]
)
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(KeyUnusableError, match=VARIABLE) as caught:
        key_from_environment({VARIABLE: text})
    shown = "".join(traceback.format_exception(caught.value))
    assert not text.strip() or text not in shown.replace(f"{VARIABLE}: text", "")
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[1, 2]", "JSON list of 64 numbers"),
        ("99999999999999", "JSON list of 64 numbers"),
        (json.dumps([1] * 64), "damaged"),
        (json.dumps([300] * 64), "damaged"),
        (json.dumps(["a"] * 64), "damaged"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str, what: str) -> None:
    file = tmp_path / "id.json"
    file.write_text(content)
    with pytest.raises(KeyUnusableError, match=what) as caught:
        key_from_file(file)
    assert str(file) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_home_that_is_not_there() -> None:
    with pytest.raises(KeyUnusableError, match="there is no such home"):
        key_from_environment({VARIABLE: "~nobody-of-that-name/key.json"})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusableError, match="No such file"):
        key_from_environment({VARIABLE: str(tmp_path / "none.json")})
    (tmp_path / "raw.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyUnusableError, match="it is not text"):
        key_from_file(tmp_path / "raw.json")


def test_a_key_shows_its_address_only() -> None:
    key = Key(PAIR)
    shown = f"{key} {key!r} {[key]} {dir(key)} {key.address}"
    assert str(PAIR.pubkey()) in shown
    assert not [secret for secret in SECRETS if secret in shown]
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a key is not written anywhere"):
            write(key)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_rights(authority: bytes, delegate: bytes) -> None:
    view = blank(DRIFT_V2, User)
    view.authority, view.delegate = Pubkey(authority), Pubkey(delegate)
    assert rights_of(Pubkey(authority), view) is Rights.AUTHORITY
    expected = Rights.NONE if delegate == bytes(32) else Rights.DELEGATE
    assert rights_of(Pubkey(delegate), view) is (Rights.AUTHORITY if authority == delegate else expected)
    assert Key(PAIR).rights(view) is Rights.NONE


def test_nobody_is_no_delegate() -> None:
    view = blank(DRIFT_V2, User)
    view.authority = PAIR.pubkey()
    assert rights_of(Pubkey.default(), view) is Rights.NONE
    assert Key(PAIR).rights(view) is Rights.AUTHORITY
