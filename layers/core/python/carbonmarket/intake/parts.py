"""What an anchored part commits to: its leaves in a stated order, their root and the energy sums.

The order is by (start, device, gateway, sequence, position in the message). The evidence object is
canonical JSON, so that building it again gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from carbonmarket import canonical, merkle, readings, sensors
from carbonmarket.records.devices import AnchorPart


class BuiltPart(msgspec.Struct, frozen=True, kw_only=True):
    """``root`` is hex; the sums are microjoules, neither negative; ``content`` is the evidence object."""

    root: str
    count: int
    positive_uj: int
    negative_uj: int
    content: bytes


def build_part(
    part: AnchorPart,
    messages: Mapping[tuple[str, int, str], bytes],
    secret: bytes,
    measured: Collection[str],
) -> BuiltPart:
    """The part of its signed messages, which are given by (gateway, sequence, hash in hex).

    Every reading is a leaf; the sums hold the energy of the sensor types ``measured``.
    """
    rows: list[tuple[tuple[Any, ...], dict[str, Any], int]] = []
    for ref in part.messages:
        message = readings.parse_message(messages[(ref.gateway, ref.sequence, ref.hash)])
        salts: dict[str, bytes] = {}
        for index in ref.readings:
            reading = message.readings[index]
            device = reading["device"]
            if device not in salts:
                salts[device] = readings.leaf_salt(secret, ref.gateway, ref.sequence, device)
            hashed = readings.leaf_hash(
                salt=salts[device],
                project=part.project,
                gateway=ref.gateway,
                sequence=ref.sequence,
                reading=reading,
            )
            leaf = {
                "gateway": ref.gateway,
                "sequence": ref.sequence,
                "index": index,
                "salt": salts[device].hex(),
                "leaf": hashed.hex(),
            }
            place = (reading["start"], device, ref.gateway, ref.sequence, index)
            rows.append((place, leaf, sensors.energy_uj(reading, measured)))
    rows.sort(key=lambda row: row[0])
    root = merkle.root([bytes.fromhex(leaf["leaf"]) for _, leaf, _ in rows]).hex()
    positive = sum(energy for _, _, energy in rows if energy > 0)
    negative = -sum(energy for _, _, energy in rows if energy < 0)
    document = {
        "project": part.project,
        "hour": part.hour_us // 1_000_000,
        "part": part.part,
        "root": root,
        "count": len(rows),
        "positive_uj": str(positive),
        "negative_uj": str(negative),
        "leaves": [leaf for _, leaf, _ in rows],
        "messages": [
            {"gateway": ref.gateway, "sequence": ref.sequence, "hash": ref.hash} for ref in part.messages
        ],
    }
    return BuiltPart(
        root=root,
        count=len(rows),
        positive_uj=positive,
        negative_uj=negative,
        content=canonical.dumps(document),
    )
