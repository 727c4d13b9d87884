"""Labels of batches: what the contracts hold as bits, by the names that people use.

``ccp`` approved by the ICVCM · ``corsia-…`` eligible in that phase (vintages from 2021 on need Article 6
authorisation) · ``article-6-…`` authorised by the host country, and correspondingly adjusted by it ·
``not-measured-here`` imported from another registry, which the contracts set and nobody can change ·
``sdg-n`` the United Nations' sustainable development goal n is served.
"""

from __future__ import annotations

from collections.abc import Iterable

from carbonmarket.errors import InvalidInput

_NAMED = {
    "ccp": 0,
    "corsia-pilot": 1,
    "corsia-first": 2,
    "corsia-second": 3,
    "article-6-authorised": 4,
    "article-6-adjusted": 5,
    "not-measured-here": 6,
}
_FIRST_GOAL_BIT = 16
_GOALS = range(1, 18)
BITS = _NAMED | {f"sdg-{goal}": _FIRST_GOAL_BIT + goal - 1 for goal in _GOALS}
"""The bit of each label's name."""


def label_bits(names: Iterable[str], field: str = "labels") -> int:
    """The names' bits together; InvalidInput names the one that is no label."""
    bits = 0
    for name in names:
        if name not in BITS:
            raise InvalidInput(f"{name[:40]!r} is no label; there are {', '.join(BITS)}", field=field)
        bits |= 1 << BITS[name]
    return bits


def label_names(bits: int) -> list[str]:
    """The names of the bits, in their order; a bit without a name is given as bit-n."""
    known = {bit: name for name, bit in BITS.items()}
    return [known.get(bit, f"bit-{bit}") for bit in range(bits.bit_length()) if bits >> bit & 1]
