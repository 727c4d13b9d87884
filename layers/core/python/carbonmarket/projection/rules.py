"""What the events of registry, readings and credits do to the projected records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from carbonmarket.chain import events as ev
from carbonmarket.ports.projection import Key
from carbonmarket.projection.rule import Effect, Place, Read, Rule, Rules, nothing
from carbonmarket.records.chain import (
    Anchor,
    Batch,
    BatchName,
    Cancellation,
    Freeze,
    Governance,
    Methodology,
    Origin,
    Period,
    Project,
    Retirement,
    RoleGrant,
    Verifier,
)

GOVERNANCE: Key = ("governance",)


def batch_key(address: str) -> Key:
    """The key of the batch at an address."""
    return ("batch", address)


def project_key(project: str) -> Key:
    """The key of a project."""
    return ("project", project)


def period_key(project: str, number: int) -> Key:
    """The key of a project's period."""
    return ("period", project, str(number))


def _admin_proposed(event: ev.AdminProposed, _place: Place, read: Read) -> Iterator[Effect]:
    now = read(GOVERNANCE) or Governance()
    proposed = None if int(event.proposed_new, 16) == 0 else event.proposed_new
    yield GOVERNANCE, replace(now, admin=event.admin, proposed_admin=proposed)


def _admin_changed(event: ev.AdminChanged, _place: Place, read: Read) -> Iterator[Effect]:
    now = read(GOVERNANCE) or Governance()
    yield GOVERNANCE, replace(now, admin=event.admin_new, proposed_admin=None)


def _pause_changed(event: ev.PauseChanged, _place: Place, read: Read) -> Iterator[Effect]:
    yield GOVERNANCE, replace(read(GOVERNANCE) or Governance(), paused=event.paused_new)


def _role_key(event: ev.RoleChanged) -> Key:
    return ("role", event.account, str(event.role))


def _role_changed(event: ev.RoleChanged, _place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        _role_key(event),
        RoleGrant(account=event.account, role=event.role, granted=event.granted_new),
    )


def _verifier_key(event: ev.VerifierRegistered | ev.VerifierRemoved) -> Key:
    return ("verifier", event.account)


def _verifier_registered(event: ev.VerifierRegistered, _place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        _verifier_key(event),
        Verifier(account=event.account, public_key=event.public_key, organisation=event.organisation),
    )


def _verifier_removed(event: ev.VerifierRemoved, _place: Place, _read: Read) -> Iterator[Effect]:
    yield _verifier_key(event), None


def _freeze_key(event: ev.AccountFreezeChanged) -> Key:
    return ("freeze", event.account)


def _freeze_changed(event: ev.AccountFreezeChanged, _place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        _freeze_key(event),
        Freeze(account=event.account, frozen=event.frozen_new, reason=event.reason_new),
    )


def _methodology_key(event: ev.MethodologyRegistered | ev.MethodologyRetired) -> Key:
    return ("methodology", event.id, str(event.version))


def _methodology_registered(event: ev.MethodologyRegistered, _place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        _methodology_key(event),
        Methodology(
            id=event.id,
            version=event.version,
            formula=event.formula,
            numerator=event.numerator,
            denominator=event.denominator,
            buffer_bps=event.buffer_bps,
            document_hash=event.document_hash,
            active=True,
        ),
    )


def _methodology_retired(event: ev.MethodologyRetired, _place: Place, read: Read) -> Iterator[Effect]:
    key = _methodology_key(event)
    yield key, replace(read(key), active=event.active_new)


def _project_registered(event: ev.ProjectRegistered, _place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        project_key(event.project),
        Project(
            id=event.project,
            developer=event.developer,
            organisation=event.organisation,
            country=event.country,
            methodology=event.methodology,
            methodology_version=event.methodology_version,
            metadata_hash=event.metadata_hash,
        ),
    )


def _of_project(**fields: str) -> Rule:
    """A rule that sets fields of a project to the event's fields of other names."""

    def rule(event: Any, _place: Place, read: Read) -> Iterator[Effect]:
        key = project_key(event.project)
        yield key, replace(read(key), **{to: getattr(event, of) for to, of in fields.items()})

    return rule


def _anchored(event: ev.ReadingsAnchored, place: Place, _read: Read) -> Iterator[Effect]:
    key = ("anchor", event.project, str(event.hour), str(event.part))
    yield (
        key,
        Anchor(
            project=event.project,
            hour_s=event.hour,
            part=event.part,
            root=event.root,
            count=event.count,
            positive=event.positive,
            negative=event.negative,
            uri=event.uri,
            late=event.late,
            version=place.version,
            transaction=place.transaction,
            time_us=place.time_us,
        ),
    )


def _period_closed(event: ev.PeriodClosed, place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        period_key(event.project, event.number),
        Period(
            project=event.project,
            number=event.number,
            start_s=event.start,
            end_s=event.end,
            positive=event.positive,
            negative=event.negative,
            count=event.count,
            state="closed",
            version=place.version,
            transaction=place.transaction,
        ),
    )


def _period_reopened(event: ev.PeriodReopened, _place: Place, read: Read) -> Iterator[Effect]:
    key = period_key(event.project, event.number)
    yield key, replace(read(key), state="reopened")


def _period_issued(event: ev.PeriodIssued, _place: Place, read: Read) -> Iterator[Effect]:
    key = period_key(event.project, event.number)
    yield key, replace(read(key), state="issued", batch=event.batch)


def _batch_issued(event: ev.BatchIssued, place: Place, _read: Read) -> Iterator[Effect]:
    yield ("batch_name", event.batch_id), BatchName(id=event.batch_id, address=event.batch)
    yield (
        batch_key(event.batch),
        Batch(
            address=event.batch,
            id=event.batch_id,
            project=event.project,
            period_number=event.period_number,
            period_start_s=event.period_start,
            period_end_s=event.period_end,
            developer=event.developer,
            country=event.country,
            methodology=event.methodology,
            methodology_version=event.methodology_version,
            report_hash=event.report_hash,
            serial_first=event.serial_first,
            serial_last=event.serial_last,
            issued=event.issued,
            buffered=event.buffered,
            labels=event.labels,
            uri=event.uri,
            version=place.version,
            transaction=place.transaction,
            time_us=place.time_us,
        ),
    )


def _imported(event: ev.CreditsImported, place: Place, _read: Read) -> Iterator[Effect]:
    yield ("batch_name", event.batch_id), BatchName(id=event.batch_id, address=event.batch)
    yield (
        batch_key(event.batch),
        Batch(
            address=event.batch,
            id=event.batch_id,
            project=event.project,
            period_number=0,
            period_start_s=event.vintage_start,
            period_end_s=event.vintage_end,
            developer=event.owner,
            country=event.country,
            methodology=event.methodology,
            methodology_version=0,
            report_hash="0x",
            serial_first=event.serial_first,
            serial_last=event.serial_last,
            issued=event.issued,
            buffered=0,
            labels=event.labels,
            uri=event.uri,
            version=place.version,
            transaction=place.transaction,
            time_us=place.time_us,
            origin=Origin(
                registry=event.registry, serial=event.registry_serial, project_name=event.project_name
            ),
        ),
    )


def _retired(event: ev.CreditsRetired, place: Place, read: Read) -> Iterator[Effect]:
    key = batch_key(event.batch)
    yield key, replace(read(key), retired=event.retired_new)
    yield (
        ("retirement", event.retirement_id),
        Retirement(
            id=event.retirement_id,
            batch=event.batch,
            batch_id=event.batch_id,
            project=event.project,
            holder=event.holder,
            grams=event.grams,
            serial_first=event.serial_first,
            serial_last=event.serial_last,
            beneficiary_commitment=event.beneficiary_commitment,
            reason=event.reason,
            country=event.country,
            period_start_s=event.period_start,
            period_end_s=event.period_end,
            certificate=event.certificate,
            version=place.version,
            transaction=place.transaction,
            time_us=place.time_us,
        ),
    )


def _cancelled(event: ev.CreditsCancelled, place: Place, read: Read) -> Iterator[Effect]:
    key = batch_key(event.batch)
    yield key, replace(read(key), cancelled=event.cancelled_new)
    yield (
        ("cancellation", event.cancellation_id),
        Cancellation(
            id=event.cancellation_id,
            kind="cancelled",
            batch=event.batch,
            batch_id=event.batch_id,
            project=event.project,
            holder=event.holder,
            grams=event.grams,
            serial_first=event.serial_first,
            serial_last=event.serial_last,
            reason=event.reason,
            version=place.version,
            transaction=place.transaction,
            time_us=place.time_us,
        ),
    )


def _reversed(event: ev.CreditsReversed, place: Place, read: Read) -> Iterator[Effect]:
    key, project = batch_key(event.batch), project_key(event.project)
    batch: Batch = read(key)
    yield (
        key,
        replace(
            batch,
            cancelled=event.cancelled_new,
            reversed=batch.reversed + event.grams,
        ),
    )
    yield project, replace(read(project), debt=event.debt_new)
    yield (
        ("cancellation", event.reversal_id),
        Cancellation(
            id=event.reversal_id,
            kind="reversed",
            batch=event.batch,
            batch_id=event.batch_id,
            project=event.project,
            holder=event.developer,
            grams=event.from_buffer + event.from_developer,
            serial_first=event.serial_first,
            serial_last=event.serial_last,
            reason=event.evidence_hash,
            version=place.version,
            transaction=place.transaction,
            time_us=place.time_us,
        ),
    )


def _labels_changed(event: ev.LabelsChanged, _place: Place, read: Read) -> Iterator[Effect]:
    key = batch_key(event.batch)
    yield key, replace(read(key), labels=event.labels_new)


def _governance(_event: Any, _place: Place) -> tuple[Key, ...]:
    return (GOVERNANCE,)


def _project(event: Any, _place: Place) -> tuple[Key, ...]:
    return (project_key(event.project),)


def _batch(event: Any, _place: Place) -> tuple[Key, ...]:
    return (batch_key(event.batch),)


def _period(event: Any, _place: Place) -> tuple[Key, ...]:
    return (period_key(event.project, event.number),)


def _batch_and_project(event: Any, _place: Place) -> tuple[Key, ...]:
    return (batch_key(event.batch), project_key(event.project))


RULES: Rules = {
    ev.AdminProposed: (_admin_proposed, _governance),
    ev.AdminChanged: (_admin_changed, _governance),
    ev.PauseChanged: (_pause_changed, _governance),
    ev.RoleChanged: (_role_changed, lambda event, _place: (_role_key(event),)),
    ev.VerifierRegistered: (_verifier_registered, lambda event, _place: (_verifier_key(event),)),
    ev.VerifierRemoved: (_verifier_removed, lambda event, _place: (_verifier_key(event),)),
    ev.AccountFreezeChanged: (_freeze_changed, lambda event, _place: (_freeze_key(event),)),
    ev.MethodologyRegistered: (_methodology_registered, nothing),
    ev.MethodologyRetired: (_methodology_retired, lambda event, _place: (_methodology_key(event),)),
    ev.ProjectRegistered: (_project_registered, nothing),
    ev.DeveloperChanged: (_of_project(developer="developer_new"), _project),
    ev.ProjectActiveChanged: (_of_project(active="active_new"), _project),
    ev.ProjectMethodologyChanged: (
        _of_project(methodology="methodology_new", methodology_version="version_new"),
        _project,
    ),
    ev.ProjectMetadataChanged: (_of_project(metadata_hash="metadata_hash_new"), _project),
    ev.ReadingsAnchored: (_anchored, nothing),
    ev.PeriodClosed: (_period_closed, nothing),
    ev.PeriodReopened: (_period_reopened, _period),
    ev.PeriodIssued: (_period_issued, _period),
    ev.BatchIssued: (_batch_issued, nothing),
    ev.CreditsImported: (_imported, nothing),
    ev.CreditsRetired: (_retired, _batch),
    ev.CreditsCancelled: (_cancelled, _batch),
    ev.CreditsReversed: (_reversed, _batch_and_project),
    ev.ReversalDebtRepaid: (_of_project(debt="debt_new"), _project),
    ev.LabelsChanged: (_labels_changed, _batch),
}
"""By event type: its rule, and the records the rule reads. Events that change no record have no entry:
gifts are seen in the stores, whichever wallet made them."""
