"""Readings, their rejects, anchors and proofs."""

from __future__ import annotations

from typing import Any

import msgspec

from carbonmarket import times
from carbonmarket.operations import list_readings as listing
from carbonmarket.operations import list_rejects as rejecting
from carbonmarket.operations.prove_reading import prove_reading as prove
from carbonmarket.operations.replay_reject import replay_reject as replay
from carbonmarket.ports.readings import Point
from carbonmarket.records.devices import AnchorPart, Reject
from carbonmarket_adapters.http import Api, Call, connection
from carbonmarket_adapters.wiring import devices, evidence, registry

api = Api("api_readings")
app = api.app

# The widest range that a request without bounds means: the years 1970 to 2200.
_END_OF_TIME = times.parse_us("2200-01-01T00:00:00Z", "to")


@api.get("/v1/projects/{project}/readings", paged=True, query=("device", "from", "to"))
def list_readings(call: Call) -> object:
    """The accepted readings of a project, by time."""
    from_us, to_us = _range(call)
    rows = listing.list_readings(
        call.path["project"],
        device=call.query.get("device"),
        from_us=from_us,
        to_us=to_us,
        after=call.page.after,
        first=call.page.first,
        caller=call.caller,
        registry=registry.registry(),
        readings=devices.readings(),
    )
    return connection(rows, call.page.first, _show_point)


@api.get("/v1/projects/{project}/readings/counts")
def count_readings(call: Call) -> object:
    """How many readings of a project came, and what became of them."""
    counts = rejecting.count_readings(
        call.path["project"], caller=call.caller, registry=registry.registry(), store=devices.ingest()
    )
    return {"received": counts.received, **msgspec.to_builtins(counts)}


@api.get("/v1/projects/{project}/readings/{reading}/proof")
def prove_reading(call: Call) -> object:
    """The proof that a reading is under an anchored root."""
    proof = prove(
        call.path["project"],
        call.path["reading"],
        caller=call.caller,
        registry=registry.registry(),
        store=devices.readings(),
        anchors=devices.anchors(),
        evidence=evidence.evidence(),
    )
    shown = msgspec.to_builtins(proof)
    return {**shown, "hour": times.format_us(shown.pop("hour_us"))}


@api.get("/v1/projects/{project}/rejects", paged=True)
def list_rejects(call: Call) -> object:
    """What was refused, in the order it came. Operators see those of no known gateway as "unassigned"."""
    rows = rejecting.list_rejects(
        call.path["project"],
        after=call.page.after,
        first=call.page.first,
        caller=call.caller,
        registry=registry.registry(),
        store=devices.ingest(),
    )
    return connection(rows, call.page.first, _show_reject)


@api.post("/v1/projects/{project}/rejects/{reject}/replay", status=200)
def replay_reject(call: Call) -> object:
    """Take a refused message again, after what was wrong has been put right."""
    replayed = replay(
        call.path["project"],
        call.path["reject"],
        caller=call.caller,
        registry=registry.registry(),
        intake=devices.intake(),
        now_us=call.now_us,
    )
    return _show_reject(replayed)


@api.get("/v1/projects/{project}/anchors", paged=True, query=("from", "to"))
def list_anchors(call: Call) -> object:
    """The anchored hours of a project, and those on their way."""
    from_us, to_us = _range(call)
    rows = listing.list_anchors(
        call.path["project"],
        from_us=from_us,
        to_us=to_us,
        after=call.page.after,
        first=call.page.first,
        caller=call.caller,
        registry=registry.registry(),
        anchors=devices.anchors(),
    )
    return connection(rows, call.page.first, _show_part)


def _range(call: Call) -> tuple[int, int]:
    start, end = call.query.get("from"), call.query.get("to")
    return (
        0 if start is None else times.parse_us(start, "from"),
        _END_OF_TIME if end is None else times.parse_us(end, "to"),
    )


def _show_point(point: Point) -> dict[str, Any]:
    return {
        "id": point.id,
        "device": point.device,
        "type": point.type,
        "start": times.format_us(point.start_us),
        "seconds": point.seconds,
        "values": {
            name: value if isinstance(value, str) else str(value) for name, value in point.values.items()
        },
        "gateway": point.gateway,
        "sequence": point.sequence,
        "leaf": point.leaf,
        "received": times.format_us(point.received_us),
    }


def _show_reject(reject: Reject) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(reject)
    replayed_us = shown.pop("replayed_us")
    shown["received"] = times.format_us(shown.pop("received_us"))
    shown["replayed"] = None if replayed_us is None else times.format_us(replayed_us)
    return shown


def _show_part(part: AnchorPart) -> dict[str, Any]:
    return {
        "hour": times.format_us(part.hour_us),
        "part": part.part,
        "state": part.state,
        "root": part.root,
        "count": part.count,
        "positive_uj": part.positive_uj,
        "negative_uj": part.negative_uj,
        "evidence": part.uri,
        "transaction": part.transaction,
        "version": part.version,
    }
