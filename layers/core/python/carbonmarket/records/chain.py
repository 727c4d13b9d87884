"""Records of what was signed and sent, and of what the chain was seen to hold.

Grams are u64, addresses in the long form, hashes and commitments 0x-hex as the node prints them; times on
chain are whole seconds, ledger times microseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# What was signed and sent (table signing)


class Held(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sequence number that is taken: the outbox key it is used under and when its bytes expire."""

    key: str
    expiration_s: int


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signed bytes under an outbox key, and their fate once it is final.

    ``call_digest`` is SHA-256 of the payload's BCS. ``sender`` is the id of the key that signed, "" for a
    wallet's own bytes. ``earlier`` are the hashes of tries that died before this one; at most one hash of a
    key ever stands on chain. ``gas_day`` is the UTC day in whose budget the sponsor has counted it at its
    cap, "" where the account pays for itself; ``gas_account`` is the account in whose budget, "" for its own.
    """

    key: str
    sender: str
    address: str
    sequence: int
    call: str
    call_digest: str
    hash: str
    signed: str
    expiration_s: int
    state: Literal["open", "committed", "dead"] = "open"
    earlier: tuple[str, ...] = ()
    gas_day: str = ""
    gas_account: str = ""


class GasBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gas units that the sponsor has signed for on one UTC day of the ledger, for one ``account`` or for all.

    Each call counts at its cap until its fate is known, and afterwards with what it used.
    """

    sponsor: str
    day: str
    gas_units: int
    account: str = ""


# What the chain was seen to hold (table chain)


class Cursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the projection has come: the last version folded, and its fingerprint.

    ``fingerprint`` is the node's accumulator hash, which covers all transactions up to the version.
    """

    chain_id: int
    version: int
    fingerprint: str
    ledger_us: int


class Governance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who administers the contracts and whether they are paused."""

    admin: str | None = None
    proposed_admin: str | None = None
    paused: bool = False


class RoleGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an account has a role (1 issuer, 2 oracle, 3 pauser)."""

    account: str
    role: int
    granted: bool


class Verifier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered reviewer: Ed25519 key and organisation's commitment, 0x-hex."""

    account: str
    public_key: str
    organisation: str


class Freeze(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an account is frozen, and why."""

    account: str
    frozen: bool
    reason: str


class Methodology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered methodology version; numerator and denominator are u128, as decimal strings."""

    id: str
    version: int
    formula: int
    numerator: str
    denominator: str
    buffer_bps: int
    document_hash: str
    active: bool


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project on chain. ``debt`` is reversed grams that nobody has made good yet."""

    id: str
    developer: str
    organisation: str
    country: str
    methodology: str
    methodology_version: int
    metadata_hash: str
    active: bool = True
    debt: int = 0


class Anchor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of one hour: the Merkle root over ``count`` readings and both sums.

    ``positive`` and ``negative`` are u128 microjoules as decimal strings.
    """

    project: str
    hour_s: int
    part: int
    root: str
    count: int
    positive: str
    negative: str
    uri: str
    late: bool
    version: int
    transaction: str
    time_us: int


class Period(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed period with its anchored sums (decimal strings, microjoules)."""

    project: str
    number: int
    start_s: int
    end_s: int
    positive: str
    negative: str
    count: int
    state: Literal["closed", "issued", "reopened"]
    batch: str | None = None
    version: int
    transaction: str


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where imported credits come from: the registry's id, its own serial as it writes it, the project."""

    registry: str
    serial: str
    project_name: str


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An issued batch: the token and asset at ``address``, its block of serials and its buckets in grams.

    ``issued`` and ``buffered`` (set aside at issue) never change; ``cancelled`` includes burnt reversals;
    ``reversed`` counts all reversed grams, burnt or turned into debt. ``origin`` is set where another
    registry issued the credits: nothing of them was measured here, ``developer`` is who they were imported
    to, ``methodology`` a text, number and version are 0 and the report's hash is empty.
    """

    address: str
    id: str
    project: str
    period_number: int
    period_start_s: int
    period_end_s: int
    developer: str
    country: str
    methodology: str
    methodology_version: int
    report_hash: str
    serial_first: int
    serial_last: int
    issued: int
    buffered: int
    retired: int = 0
    cancelled: int = 0
    reversed: int = 0
    labels: int
    uri: str
    version: int
    transaction: str
    time_us: int
    origin: Origin | None = None


class BatchName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The address of the batch of an id."""

    id: str
    address: str


class Store(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fungible store of a batch: what a wallet's owner holds in it.

    ``inline`` is the store's own balance, ``concurrent`` the balance it keeps aside once upgraded.
    """

    address: str
    batch: str
    owner: str
    inline: int
    concurrent: int = 0
    frozen: bool = False

    @property
    def grams(self) -> int:
        """What the store holds."""
        return self.inline + self.concurrent


class Retirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams retired for good, with their serial range."""

    id: str
    batch: str
    batch_id: str
    project: str
    holder: str
    grams: int
    serial_first: int
    serial_last: int
    beneficiary_commitment: str
    reason: str
    country: str
    period_start_s: int
    period_end_s: int
    certificate: str
    version: int
    transaction: str
    time_us: int


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams destroyed without a claim, or taken back by a reversal; serials 0 where none were burnt.

    ``grams`` are the burnt ones; a reversal may have named more.
    """

    id: str
    kind: Literal["cancelled", "reversed"]
    batch: str
    batch_id: str
    project: str
    holder: str
    grams: int
    serial_first: int
    serial_last: int
    reason: str
    version: int
    transaction: str
    time_us: int


class Holding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account holds of a batch, in all its stores together."""

    owner: str
    batch: str
    grams: int


DIFFERING_MAX = 100
"""So many rows that differ are told at once of each kind; the others are in the lists of all."""


class BatchReconciliation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One batch's grams, counted three ways; ``differences`` are sentences, none where all agree.

    ``issued``, ``retired`` and ``cancelled`` are lengths of serial ranges, ``outstanding`` what they leave;
    ``chain_supply`` is the asset's supply; ``projected_held`` the sum over the projected stores, buffer
    included.
    """

    batch: str
    batch_id: str
    issued: int
    retired: int
    cancelled: int
    outstanding: int
    chain_supply: int
    projected_held: int
    differences: tuple[str, ...]


class VaultReconciliation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One asset in the marketplace's vault, in grams or units of the asset: what the projection says is owed,
    and what the chain says. ``vault_holds`` may be more than ``vault_owes``: what strangers sent there is
    nobody's. ``differences`` are sentences."""

    asset: str
    claimable: int
    orders: int
    listings: int
    gifts: int
    vault_owes: int
    vault_holds: int
    differences: tuple[str, ...]


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The published comparison of serial ranges, chain supply, vault and projection at a ledger version."""

    at_us: int
    chain_id: int
    version: int
    batches: tuple[BatchReconciliation, ...]
    assets: tuple[VaultReconciliation, ...] = ()
    differences: int

    def summary(self) -> ReconciliationSummary:
        """What is told of it at once."""
        return ReconciliationSummary(
            at_us=self.at_us,
            chain_id=self.chain_id,
            version=self.version,
            batches=len(self.batches),
            assets=len(self.assets),
            differences=self.differences,
            differing_batches=tuple(each for each in self.batches if each.differences)[:DIFFERING_MAX],
            differing_assets=tuple(each for each in self.assets if each.differences)[:DIFFERING_MAX],
        )


class ReconciliationSummary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published comparison in short: how many ``batches`` and ``assets`` were compared, and the first
    hundred of each that differ."""

    at_us: int
    chain_id: int
    version: int
    batches: int
    assets: int
    differences: int
    differing_batches: tuple[BatchReconciliation, ...]
    differing_assets: tuple[VaultReconciliation, ...]
