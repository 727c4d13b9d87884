"""Prove: show that one accepted reading is under a root that was anchored."""

from __future__ import annotations

from typing import Any

from carbonmarket import canonical, merkle, readings
from carbonmarket.errors import InvalidInput, NotFound, NotYetFinal
from carbonmarket.operations.find_project import find_overseen_project
from carbonmarket.ports.devices import AnchorStore
from carbonmarket.ports.evidence import EvidenceStore
from carbonmarket.ports.readings import Point, ReadingsStore
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.devices import HOUR_US, AnchorPart, InclusionProof, MessageRef
from carbonmarket.records.principal import Principal


def prove_reading(
    project: str,
    reading: str,
    *,
    caller: Principal,
    registry: RegistryStore,
    store: ReadingsStore,
    anchors: AnchorStore,
    evidence: EvidenceStore,
) -> InclusionProof:
    """The inclusion proof of the reading with the id ``reading`` (see ``Point.id``).

    NotFound if the project accepted no such reading; NotYetFinal until its hour is anchored.
    """
    find_overseen_project(project, caller=caller, registry=registry)
    point = _point(project, reading, store)
    part, ref = _part_of(point, anchors)
    content = evidence.part(project, part.hour_us, part.part)
    if content is None:
        raise NotYetFinal("the evidence of the reading's hour is not written yet; ask again later")
    message = evidence.messages(project, [ref])[(ref.gateway, ref.sequence, ref.hash)]
    return _prove(point, part, canonical.loads(content), message)


def _point(project: str, reading: str, store: ReadingsStore) -> Point:
    fields = reading.split(":")
    if len(fields) != 4 or not all(
        f.isascii() and f.isdecimal() and len(f) < 18 for f in (fields[1], fields[3])
    ):
        raise InvalidInput("a reading's id is gateway:sequence:device:start", field="reading")
    start_us = int(fields[3])
    found = store.range(project, device=fields[2], from_us=start_us, to_us=start_us + 1)
    for point in found:
        if point.id == reading:
            return point
    raise NotFound("the project accepted no reading with this id", field="reading")


def _part_of(point: Point, anchors: AnchorStore) -> tuple[AnchorPart, MessageRef]:
    hour_us = point.start_us // HOUR_US * HOUR_US
    for _, part in anchors.parts(point.project, from_us=hour_us, to_us=hour_us + HOUR_US):
        for ref in part.messages:
            mine = (ref.gateway, ref.sequence) == (point.gateway, point.sequence)
            if mine and point.index in ref.readings and part.state != "decided":
                return part, ref
    raise NotYetFinal("the reading's hour is not anchored yet; ask again after the next full hour")


def _prove(point: Point, part: AnchorPart, content: dict[str, Any], data: bytes) -> InclusionProof:
    leaves = content["leaves"]
    place = (point.gateway, point.sequence, point.index)
    index = next(
        at for at, leaf in enumerate(leaves) if (leaf["gateway"], leaf["sequence"], leaf["index"]) == place
    )
    tree = merkle.Tree([bytes.fromhex(leaf["leaf"]) for leaf in leaves])
    sent = readings.parse_message(data).readings[point.index]
    return InclusionProof(
        reading=point.id,
        leaf_data={
            "project": point.project,
            "gateway": point.gateway,
            "message_sequence": point.sequence,
            "device": point.device,
            "reading": {name: value for name, value in sent.items() if name != "device"},
        },
        salt=leaves[index]["salt"],
        leaf=leaves[index]["leaf"],
        index=index,
        size=tree.size,
        path=tuple(node.hex() for node in tree.inclusion_proof(index)),
        root=tree.root.hex(),
        project=point.project,
        hour_us=part.hour_us,
        part=part.part,
        transaction=part.transaction,
        version=part.version,
    )
