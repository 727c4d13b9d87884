"""Times: UTC, integer microseconds inside, ISO 8601 with Z on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from carbonmarket.errors import InvalidInput

MICROSECONDS = 1_000_000
HOUR_S = 3_600
DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z")


def parse_us(text: str, field: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time with Z; refuses any other form."""
    if not isinstance(text, str) or not _PATTERN.fullmatch(text):
        raise InvalidInput(f"{field} must be a UTC time such as 2016-07-01T07:00:00Z", field=field)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{field} names a day or time that does not exist: {text}", field=field) from None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def format_us(microseconds: int) -> str:
    """ISO 8601 with Z; the fraction is written only where there is one."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")


def format_s(seconds: int) -> str:
    """ISO 8601 with Z of whole seconds since 1970."""
    return format_us(seconds * MICROSECONDS)
