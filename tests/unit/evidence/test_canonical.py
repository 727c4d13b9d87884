"""Canonical JSON: one byte form for a value, and no other accepted."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket import canonical
from carbonmarket.errors import InvalidInput

safe_integers = st.integers(-canonical.SAFE_INTEGER, canonical.SAFE_INTEGER)
texts = st.text()
documents = st.recursive(
    st.none() | st.booleans() | safe_integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(documents)
def test_the_bytes_are_those_of_rfc_8785(document: object) -> None:
    assert canonical.dumps(document) == rfc8785.dumps(document)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), texts))
def test_the_fast_path_for_ascii_keys_agrees_with_rfc_8785(document: dict[str, str]) -> None:
    assert canonical.dumps(document) == rfc8785.dumps(document)


def test_every_character_of_the_first_plane_is_escaped_as_rfc_8785_says() -> None:
    text = "".join(chr(point) for point in range(0x10000) if not 0xD800 <= point <= 0xDFFF)
    assert canonical.dumps({"text": text}) == rfc8785.dumps({"text": text})


@given(documents)
def test_what_was_written_reads_back_equal(document: object) -> None:
    assert canonical.loads(canonical.dumps(document)) == document


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a":1,"a":2}', "stands twice"),
        (b'{"a":2,"a":2}', "stands twice"),
        (b'{"b":1,"a":2}', "canonical"),
        (b'{"a": 1}', "canonical"),
        (b'{"a":"\\u0041"}', "canonical"),
        (b'{"a":-0}', "canonical"),
        (b'{"a":1}\n', "canonical"),
        (b'{"a":1.0}', "fraction"),
        (b'{"a":1e2}', "fraction"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":Infinity}', "not JSON"),
        (b'{"a":9007199254740992}', "/a is 9007199254740992"),
        (b'{"a":123456789012345678901234567890}', "fraction"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":"\xff"}', "not JSON"),
        (b"[" * 200 + b"]" * 200, "nested"),
        (b"", "not JSON"),
    ],
)
def test_other_bytes_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        canonical.loads(data)


@pytest.mark.parametrize("value", [1.5, float("nan"), {1: "a"}, {"a": b"bytes"}, {"a": {1, 2}}, "\ud800"])
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        canonical.dumps(value)


def test_keys_beyond_ascii_are_sorted_by_utf16_units() -> None:
    # U+1F600 begins with the surrogate D83D, which sorts before U+FB33; by code point it would be last.
    document = {"\ufb33": 1, "\U0001f600": 2}
    assert list(json.loads(canonical.dumps(document))) == ["\U0001f600", "\ufb33"]


def test_the_field_is_named() -> None:
    with pytest.raises(InvalidInput) as refusal:
        canonical.dumps({"readings": [{"power": 1.5}]})
    assert refusal.value.field == "/readings/0/power"
