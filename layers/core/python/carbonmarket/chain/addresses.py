"""One written form of an Aptos address: 0x and 64 lower-case hex digits.

Nodes print special addresses short and others long (AIP-40); a key in a store needs one form.
"""

from __future__ import annotations

import re

from carbonmarket.errors import InvalidInput

_LONG = 66
_HEX = re.compile(r"0x[0-9a-fA-F]{1,64}")


def canonical(address: str) -> str:
    """The long form of an address in any form; :class:`InvalidInput` for what is none."""
    if not _HEX.fullmatch(address):
        raise InvalidInput(f"{address[:80]!r} is not an Aptos address: 0x and 1 to 64 hex digits")
    return address.lower() if len(address) == _LONG else "0x" + address[2:].lower().rjust(64, "0")
