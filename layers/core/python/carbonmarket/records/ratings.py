"""What a rating rests on, and how far trades and periods have rated their parties."""

from __future__ import annotations

import msgspec

from carbonmarket.records.market import Trade


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The evidence of a rating, or of an account's verification: its canonical JSON is kept, its SHA-256
    stands on chain.

    ``subject`` and ``counterparty`` are accounts in the long form; the counterparty is empty where readings
    rate or where an account is verified. ``mark`` is 0 to 10,000, ``weight`` 1 to 100, both 0 for a
    verification. ``facts`` are what they were computed from. No personal data.
    """

    version: int = 1
    dimension: int
    reference: str
    subject: str
    counterparty: str
    mark: int
    weight: int
    facts: dict[str, str]


class RatedUpTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All trades of an account up to this index have rated."""

    account: str
    index: str


class CardSale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sale to the treasury whose purchase by card has not come to its end yet."""

    account: str
    trade: Trade


class RatedPeriod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period whose readings and reviews have rated."""

    project: str
    period: str
