"""Where each kind of projected record lies in table ``chain``."""

from __future__ import annotations

from typing import Any

import msgspec

from carbonmarket.ports.projection import Key
from carbonmarket.records import chain as records
from carbonmarket_adapters.dynamo import market_keys
from carbonmarket_adapters.dynamo.chain_places import Index, Place, no_index
from carbonmarket_adapters.dynamo.table import Kind, Write

BATCHES, FROZEN = "BATCHES", "FROZEN"


def _range_index(record: records.Retirement | records.Cancellation) -> Index:
    return f"BATCH#{record.batch}", f"{record.serial_first:020}#{record.id}"


def anchor_sort(hour_s: int | str, part: int | str) -> str:
    """The sort key of an anchor, in the order of hours and parts."""
    return f"ANCHOR#{int(hour_s):012}#{int(part):06}"


_PLACES: dict[str, Place] = {
    "governance": Place(
        Kind("governance", records.Governance),
        lambda: ("GOVERNANCE", "GOVERNANCE"),
        lambda _r: (),
        no_index,
    ),
    "role": Place(
        Kind("role", records.RoleGrant),
        lambda account, role: (f"ROLE#{role}", account),
        lambda r: (r.account, str(r.role)),
        no_index,
    ),
    "verifier": Place(
        Kind("verifier", records.Verifier),
        lambda account: ("VERIFIERS", account),
        lambda r: (r.account,),
        no_index,
    ),
    "freeze": Place(
        Kind("freeze", records.Freeze),
        lambda account: (f"ACCOUNT#{account}", "FREEZE"),
        lambda r: (r.account,),
        lambda r: (FROZEN, r.account) if r.frozen else None,
    ),
    "methodology": Place(
        Kind("methodology", records.Methodology),
        lambda name, version: (f"METHODOLOGY#{name}", f"{int(version):020}"),
        lambda r: (r.id, str(r.version)),
        no_index,
    ),
    "project": Place(
        Kind("project", records.Project),
        lambda project: (f"PROJECT#{project}", "PROJECT"),
        lambda r: (r.id,),
        no_index,
    ),
    "anchor": Place(
        Kind("anchor", records.Anchor),
        lambda project, hour, part: (f"PROJECT#{project}", anchor_sort(hour, part)),
        lambda r: (r.project, str(r.hour_s), str(r.part)),
        no_index,
    ),
    "period": Place(
        Kind("period", records.Period),
        lambda project, number: (f"PROJECT#{project}", f"PERIOD#{int(number):010}"),
        lambda r: (r.project, str(r.number)),
        no_index,
    ),
    "batch": Place(
        Kind("batch", records.Batch),
        lambda address: (f"BATCH#{address}", "BATCH"),
        lambda r: (r.address,),
        lambda r: (BATCHES, f"{r.version:020}#{r.id}"),
    ),
    "batch_name": Place(
        Kind("batch_name", records.BatchName),
        lambda name: (f"BATCH_NAME#{name}", "BATCH_NAME"),
        lambda r: (r.id,),
        no_index,
    ),
    "store": Place(
        Kind("store", records.Store),
        lambda address: (f"STORE#{address}", "STORE"),
        lambda r: (r.address,),
        lambda r: (f"OWNER#{r.owner}", f"{r.batch}#{r.address}"),
    ),
    "retirement": Place(
        Kind("retirement", records.Retirement),
        lambda name: (f"RETIREMENT#{name}", "RETIREMENT"),
        lambda r: (r.id,),
        _range_index,
    ),
    "cancellation": Place(
        Kind("cancellation", records.Cancellation),
        lambda name: (f"CANCELLATION#{name}", "CANCELLATION"),
        lambda r: (r.id,),
        _range_index,
    ),
    **market_keys.PLACES,
}


def kind_of(name: str) -> Kind[Any]:
    """The stored form of a kind."""
    kind: Kind[Any] = _PLACES[name].kind
    return kind


def is_projected(name: str) -> bool:
    """Whether items of this kind are projected records, not the table's own bookkeeping."""
    return name in _PLACES


def keys_of(key: Key) -> tuple[str, str]:
    """(pk, sk) of a record's key."""
    return _PLACES[key[0]].keys(*key[1:])


def key_of(name: str, record: msgspec.Struct) -> Key:
    """The key of a record of a kind."""
    return (name, *_PLACES[name].identity(record))


def write_of(key: Key, record: msgspec.Struct) -> Write:
    """The put of a record."""
    place = _PLACES[key[0]]
    index = place.index(record) or (None, None)
    pk, sk = place.keys(*key[1:])
    return Write(place.kind, pk, sk, record, gsi1pk=index[0], gsi1sk=index[1])
