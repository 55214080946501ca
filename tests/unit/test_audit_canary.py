"""A value is found whatever became of it, and nothing else is."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from slipway.audit.canary import Canaries, Hit

VALUE = "kB7/x+ 9:Qm@Zr4w"
LETTERS = "aXb0cY1Z9ca8bbXa10Zc9YXa8b0cZ1Xa9bYc01Zb"


@pytest.mark.parametrize("value", [VALUE, LETTERS])
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("behind", ["", "!", "~~", "and more"])
def test_it_is_found_in_every_form(value: str, before: int, behind: str) -> None:
    text = "?" * before + value + behind
    shown = {
        "plain": text,
        "base64": base64.b64encode(text.encode()).decode(),
        "base64 of URLs": base64.urlsafe_b64encode(text.encode()).decode(),
        "hex": text.encode().hex(),
        "upper hex": text.encode().hex().upper(),
        "url-encoded": f"postgresql://user:{quote(text, safe='')}@host/name",
        "form": quote_plus(text),
        "JSON": json.dumps({"key": text}),
    }
    for form, there in shown.items():
        found = Canaries({"key": value}).in_bytes(f"before {there} behind".encode())
        assert {hit.secret for hit in found} == {"key"}, form


def test_the_name_and_the_form_are_told_and_never_the_value() -> None:
    found = Canaries({"ui.KEY": LETTERS, "other": VALUE}).in_bytes(base64.b64encode(f"x{LETTERS}".encode()))
    assert found == {Hit("ui.KEY", "base64")}
    assert LETTERS not in repr(found)


def test_what_is_not_there_is_not_found() -> None:
    similar = LETTERS[:-1] + "!" + LETTERS[1:]
    assert Canaries({"key": LETTERS}).in_bytes(similar.encode() + base64.b64encode(similar.encode())) == set()


@pytest.mark.parametrize("size", [1, 7, 39, 40, 41, 1000])
def test_a_value_is_found_across_the_borders_of_chunks(size: int) -> None:
    text = ("." * 95 + LETTERS + "." * 95).encode()
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert Canaries({"key": LETTERS}).in_chunks(chunks) == {Hit("key", "plain")}


def test_a_value_that_is_found_by_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter than 12 characters: pin"):
        Canaries({"pin": "1234", "key": LETTERS})
