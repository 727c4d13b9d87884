"""The contracts' events as records: fields as in Move, integers as int, addresses in the long form.

``vector<u8>`` stays the node's 0x-hex. Fields that later versions of a contract add are passed over.
"""

from __future__ import annotations

import functools
from typing import Any, get_type_hints

import msgspec

from carbonmarket.chain import market_events
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.event import Address, Event


class AdminProposed(Event, frozen=True, kw_only=True):
    admin: Address
    proposed_old: Address
    proposed_new: Address


class AdminChanged(Event, frozen=True, kw_only=True):
    admin_old: Address
    admin_new: Address


class RoleChanged(Event, frozen=True, kw_only=True):
    role: int
    account: Address
    granted_old: bool
    granted_new: bool


class PauseChanged(Event, frozen=True, kw_only=True):
    paused_old: bool
    paused_new: bool
    by: Address


class VerifierRegistered(Event, frozen=True, kw_only=True):
    account: Address
    public_key: str
    organisation: str


class VerifierRemoved(Event, frozen=True, kw_only=True):
    account: Address
    public_key: str
    organisation: str


class AccountFreezeChanged(Event, frozen=True, kw_only=True):
    account: Address
    frozen_old: bool
    frozen_new: bool
    reason_old: str
    reason_new: str


class MethodologyRegistered(Event, frozen=True, kw_only=True):
    id: str
    version: int
    formula: int
    numerator: str
    denominator: str
    buffer_bps: int
    document_hash: str


class MethodologyRetired(Event, frozen=True, kw_only=True):
    id: str
    version: int
    active_old: bool
    active_new: bool


class ProjectRegistered(Event, frozen=True, kw_only=True):
    project: str
    developer: Address
    organisation: str
    country: str
    methodology: str
    methodology_version: int
    metadata_hash: str


class DeveloperChanged(Event, frozen=True, kw_only=True):
    project: str
    developer_old: Address
    developer_new: Address


class ProjectActiveChanged(Event, frozen=True, kw_only=True):
    project: str
    active_old: bool
    active_new: bool


class ProjectMethodologyChanged(Event, frozen=True, kw_only=True):
    project: str
    methodology_old: str
    version_old: int
    methodology_new: str
    version_new: int


class ProjectMetadataChanged(Event, frozen=True, kw_only=True):
    project: str
    metadata_hash_old: str
    metadata_hash_new: str


class ReadingsAnchored(Event, frozen=True, kw_only=True):
    project: str
    hour: int
    part: int
    root: str
    count: int
    positive: str
    negative: str
    uri: str
    late: bool


class PeriodClosed(Event, frozen=True, kw_only=True):
    project: str
    number: int
    start: int
    end: int
    positive: str
    negative: str
    count: int


class PeriodReopened(Event, frozen=True, kw_only=True):
    project: str
    number: int
    start: int
    end: int


class PeriodIssued(Event, frozen=True, kw_only=True):
    project: str
    number: int
    batch: Address


class BatchIssued(Event, frozen=True, kw_only=True):
    batch: Address
    batch_id: str
    project: str
    period_number: int
    period_start: int
    period_end: int
    developer: Address
    serial_first: int
    serial_last: int
    issued: int
    buffered: int
    labels: int
    report_hash: str
    methodology: str
    methodology_version: int
    country: str
    uri: str


class CreditsImported(Event, frozen=True, kw_only=True):
    batch: Address
    batch_id: str
    registry: str
    registry_serial: str
    project: str
    project_name: str
    owner: Address
    country: str
    methodology: str
    vintage_start: int
    vintage_end: int
    serial_first: int
    serial_last: int
    issued: int
    labels: int
    uri: str


class CreditsGiven(Event, frozen=True, kw_only=True):
    batch: Address
    from_: Address = msgspec.field(name="from")
    to: Address
    grams: int


class CreditsRetired(Event, frozen=True, kw_only=True):
    retirement_id: str
    batch: Address
    batch_id: str
    project: str
    holder: Address
    grams: int
    serial_first: int
    serial_last: int
    beneficiary_commitment: str
    reason: str
    country: str
    period_start: int
    period_end: int
    certificate: Address
    retired_old: int
    retired_new: int


class CreditsCancelled(Event, frozen=True, kw_only=True):
    cancellation_id: str
    batch: Address
    batch_id: str
    project: str
    holder: Address
    grams: int
    serial_first: int
    serial_last: int
    reason: str
    cancelled_old: int
    cancelled_new: int


class CreditsReversed(Event, frozen=True, kw_only=True):
    reversal_id: str
    batch: Address
    batch_id: str
    project: str
    developer: Address
    grams: int
    evidence_hash: str
    from_buffer: int
    from_developer: int
    serial_first: int
    serial_last: int
    buffer_old: int
    buffer_new: int
    cancelled_old: int
    cancelled_new: int
    debt_old: int
    debt_new: int


class ReversalDebtRepaid(Event, frozen=True, kw_only=True):
    project: str
    cancellation_id: str
    debt_old: int
    debt_new: int


class LabelsChanged(Event, frozen=True, kw_only=True):
    batch: Address
    labels_old: int
    labels_new: int


class CertificateUriChanged(Event, frozen=True, kw_only=True):
    uri_old: str
    uri_new: str


class AccountPartyChanged(Event, frozen=True, kw_only=True):
    account: Address
    party_old: str
    party_new: str
    evidence_hash: str


class PartyRated(Event, frozen=True, kw_only=True):
    party: str
    dimension: int
    reference: str
    counterparty: str
    mark: int
    weight: int
    counted: str
    evidence_hash: str
    rated_at: int
    points_old: str
    points_new: str
    weight_old: str
    weight_new: str
    score_old: int
    score_new: int
    ratings_old: int
    ratings_new: int
    counterparties_old: int
    counterparties_new: int


_MODULES: dict[str, tuple[type[Event], ...]] = {
    "access_control": (
        AdminProposed,
        AdminChanged,
        RoleChanged,
        PauseChanged,
        VerifierRegistered,
        VerifierRemoved,
    ),
    "transfer_policy": (AccountFreezeChanged,),
    "methodology": (MethodologyRegistered, MethodologyRetired),
    "project_registry": (
        ProjectRegistered,
        DeveloperChanged,
        ProjectActiveChanged,
        ProjectMethodologyChanged,
        ProjectMetadataChanged,
    ),
    "data_anchor": (ReadingsAnchored, PeriodClosed, PeriodReopened, PeriodIssued),
    "carbon_credit": (
        BatchIssued,
        CreditsGiven,
        CreditsRetired,
        CreditsCancelled,
        CreditsReversed,
        ReversalDebtRepaid,
        LabelsChanged,
    ),
    "imports": (CreditsImported,),
    "certificate_registry": (CertificateUriChanged,),
    "reputation_system": (AccountPartyChanged, PartyRated),
    **market_events.MODULES,
}


class _Form(msgspec.Struct, frozen=True):
    """How one event type is decoded."""

    record: type[Event]
    addresses: tuple[str, ...]


@functools.cache
def _forms() -> dict[str, _Form]:
    """By ``module::Name``."""
    return {
        f"{module}::{record.__name__}": _Form(record, _address_fields(record))
        for module, records in _MODULES.items()
        for record in records
    }


def _address_fields(record: type[Event]) -> tuple[str, ...]:
    hints = get_type_hints(record)
    names = zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True)
    return tuple(encoded for field, encoded in names if hints[field] is Address)


@functools.lru_cache(maxsize=4096)
def _form_of(event_type: str, market: str) -> _Form | None:
    address, _, name = event_type.partition("::")
    form = _forms().get(name)
    return form if form is not None and canonical(address) == market else None


def event_names() -> frozenset[str]:
    """``module::Name`` of every event that is decoded."""
    return frozenset(_forms())


def decode(event_type: str, data: dict[str, Any], market: str) -> Event | None:
    """The record of a node's event, or None if it isn't one of the market's.

    ``market`` is the package's address in the long form.
    """
    form = _form_of(event_type, market)
    if form is None:
        return None
    if form.addresses:
        data = {**data, **{name: canonical(data[name]) for name in form.addresses}}
    return msgspec.convert(data, form.record, strict=False)
