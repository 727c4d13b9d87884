"""The signed message and its leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket import canonical, readings
from carbonmarket.errors import InvalidInput

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


def signed(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "environment": "local",
        "project": "SERFEAST",
        "gateway": "serf-gw",
        "sequence": 7,
        "sent_at": "2016-07-01T08:00:00Z",
        "readings": [
            {
                "device": "inv-1",
                "type": "solar_output",
                "start": f"2016-07-01T07:{15 * quarter:02}:00Z",
                "seconds": 900,
                "power_uw": 1_250_000_000 - quarter,
            }
            for quarter in range(4)
        ],
    }
    return readings.sign_message(**(fields | changes), key=KEY)


def test_a_message_comes_back_as_it_was_signed() -> None:
    wire = signed()
    message = readings.parse_message(wire)
    readings.verify_message(message, PUBLIC)
    assert (message.project, message.sequence, len(message.readings)) == ("SERFEAST", 7, 4)
    assert readings.message_bytes(message) == wire


def test_another_gateways_key_is_refused() -> None:
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(readings.BadSignature, match="not that of gateway serf-gw"):
        readings.verify_message(readings.parse_message(signed()), stranger)


@pytest.mark.parametrize(
    "change",
    [
        {"environment": "prod"},
        {"project": "OTHER"},
        {"gateway": "other-gw"},
        {"sequence": 8},
        {"sent_at": "2016-07-01T08:00:01Z"},
    ],
)
def test_a_signature_moved_to_another_envelope_is_refused(change: dict[str, Any]) -> None:
    moved = canonical.dumps(json.loads(signed()) | change)
    with pytest.raises(readings.BadSignature):
        readings.verify_message(readings.parse_message(moved), PUBLIC)


@given(st.data())
def test_a_changed_byte_is_refused(data: st.DataObject) -> None:
    wire = bytearray(signed())
    place = data.draw(st.integers(0, len(wire) - 1))
    wire[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidInput):
        readings.verify_message(readings.parse_message(bytes(wire)), PUBLIC)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": 2}, "/version"),
        ({"version": "1"}, "/version"),
        ({"sequence": 0}, "/sequence"),
        ({"sequence": "7"}, "/sequence"),
        ({"sent_at": "yesterday"}, "/sent_at"),
        ({"readings": []}, "/readings"),
        ({"signature": "00"}, "/signature"),
        ({"project": "not upper"}, "/project"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        readings.parse_message(canonical.dumps(json.loads(signed()) | change))
    assert refusal.value.field == field


def test_a_message_without_its_version_is_refused() -> None:
    unversioned = {name: value for name, value in json.loads(signed()).items() if name != "version"}
    with pytest.raises(InvalidInput, match="version"):
        readings.parse_message(canonical.dumps(unversioned))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(InvalidInput, match="note"):
        readings.parse_message(canonical.dumps(json.loads(signed()) | {"note": "hello"}))


def test_a_message_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 131072"):
        readings.parse_message(b" " * 131_073)


def test_the_leaf_is_the_documented_hash() -> None:
    message = readings.parse_message(signed())
    secret = b"project secret"
    salt = hmac.new(
        secret, b"\x00\x00\x00\x07serf-gw" + b"\x00\x00\x00\x017" + b"\x00\x00\x00\x05inv-1", "sha256"
    ).digest()
    text = (
        b'{"device":"inv-1","gateway":"serf-gw","message_sequence":7,"project":"SERFEAST","reading":'
        b'{"power_uw":1250000000,"seconds":900,"start":"2016-07-01T07:00:00Z","type":"solar_output"}}'
    )
    assert readings.leaf_hashes(message, secret)[0] == hashlib.sha256(b"\x00" + salt + text).digest()


def test_a_redelivered_message_has_the_same_leaves_and_no_two_alike() -> None:
    first = readings.leaf_hashes(readings.parse_message(signed()), b"secret")
    again = readings.leaf_hashes(readings.parse_message(signed()), b"secret")
    assert first == again
    assert len(set(first)) == 4


def test_salts_of_shifted_parts_differ() -> None:
    assert readings.leaf_salt(b"s", "ab", 1, "c") != readings.leaf_salt(b"s", "a", 1, "bc")
