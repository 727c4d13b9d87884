"""Quantities at the border."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket import quantities
from carbonmarket.errors import InvalidInput


@given(st.integers(1, quantities.U64_MAX))
def test_every_number_of_grams_comes_back(grams: int) -> None:
    assert quantities.parse_grams(str(grams), "grams") == grams


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-5", "must not be negative"),
        ("0", "more than zero"),
        ("000", "more than zero"),
        ("007", "not begin with 0"),
        ("1.5", "whole grams"),
        ("1e6", "whole grams"),
        ("NaN", "whole grams"),
        ("Infinity", "whole grams"),
        ("", "whole grams"),
        (" 1", "whole grams"),
        ("１２", "whole grams"),
        ("18446744073709551616", "the most that 64 bits hold"),
        ("1" * 5_000, "the most that 64 bits hold"),
        (123456, "must be a string"),
        (1.5, "must be a string"),
        (float("nan"), "must be a string"),
        (None, "must be a string"),
        (True, "must be a string"),
    ],
)
def test_anything_else_is_refused_by_the_fields_name(text: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refusal:
        quantities.parse_grams(text, "grams")
    assert refusal.value.field == "grams"


@pytest.mark.parametrize("text", ["NaN", "1e5", "1.", ".5", "01", "+1", "1" * 41])
def test_a_decimal_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        quantities.parse_decimal(text, "factor")


@given(st.integers(-(10**20), 10**20), st.integers(0, 9))
def test_a_decimal_string_is_exact(units: int, decimals: int) -> None:
    text = quantities.format_decimal(units, decimals)
    assert quantities.parse_decimal(text, "x") == Fraction(units, 10**decimals)


@pytest.mark.parametrize(
    ("energy_uj", "text"),
    [
        (3_087_093_204_441_000, "857525.8901"),
        (180_000, "0.0000"),
        (540_000, "0.0002"),
        (-3_600_000_000, "-1.0000"),
        (0, "0.0000"),
    ],
)
def test_watt_hours_are_rounded_to_the_nearest_and_ties_to_even(energy_uj: int, text: str) -> None:
    assert quantities.format_wh(energy_uj) == text


def test_tonnes_keep_every_gram() -> None:
    assert quantities.format_tonnes(123_456) == "0.123456"
