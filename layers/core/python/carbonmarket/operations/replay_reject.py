"""Replay: take a refused message again, after what was wrong has been put right."""

from __future__ import annotations

import base64
import functools

from carbonmarket.errors import Conflict, NotFound, StaleWrite
from carbonmarket.intake.deciding import Draft
from carbonmarket.intake.opening import Delivery, Refused
from carbonmarket.operations.find_project import find_own_project
from carbonmarket.operations.ingest_readings import (
    ATTEMPTS_MAX,
    Intake,
    load_known,
    open_all,
    save,
)
from carbonmarket.operations.list_rejects import NO_PROJECT, require_rejects_of
from carbonmarket.ports.devices import Versioned
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.devices import Reject
from carbonmarket.records.principal import Principal


def replay_reject(
    project: str, reject: str, *, caller: Principal, registry: RegistryStore, intake: Intake, now_us: int
) -> Reject:
    """Decide the kept bytes as if they came now; a replayed reject stays as it is.

    Conflict, and nothing changed, if the message is still refused; the reason says why. Of a message some
    of whose readings were refused, those that are taken now leave the reject; it stays open for the rest.
    """
    kept_under = project
    if project == NO_PROJECT:
        kept_under = require_rejects_of(project, caller=caller, registry=registry)
    else:
        find_own_project(project, caller=caller, registry=registry)
    for _ in range(ATTEMPTS_MAX):
        stored = intake.store.rejects_by_id([(kept_under, reject)]).get((kept_under, reject))
        if stored is None:
            raise NotFound("the project has no reject with this id", field="reject")
        if stored.record.state == "replayed":
            return stored.record
        try:
            return _replay(stored, intake, now_us)
        except StaleWrite:
            # Another message of the same hour came between; decide anew.
            continue
    raise StaleWrite("other messages kept coming between; try again")


def _replay(stored: Versioned[Reject], intake: Intake, now_us: int) -> Reject:
    record = stored.record
    delivery = Delivery(
        key=record.id,
        gateway=record.gateway,
        received_us=now_us,
        data=base64.b64decode(record.message),
    )
    (item,) = open_all([delivery], intake)
    if isinstance(item, Refused):
        raise Conflict(f"the message is still refused ({item.reason}): {item.detail}")
    draft = Draft(load_known([item], intake), functools.cache(intake.salts.of))
    if not draft.replay(item, stored, now_us):
        raise Conflict(f"the readings are still refused ({record.reason})")
    decision = draft.decision()
    save(decision, intake)
    return next(v.record for v in decision.commit.rejects if v.record.id == record.id)
