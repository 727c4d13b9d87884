"""The contracts' entry functions as pure builders: one function here for each there.

An :class:`EntryCall` names a function of the market's package and its arguments with their Move types;
adapters turn it into BCS. Nothing is checked here that the contracts check themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from carbonmarket.chain.addresses import canonical

ROLE_ISSUER, ROLE_ORACLE, ROLE_PAUSER = 1, 2, 3
FORMULA_LINEAR = 1


class EntryCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call of ``module::function``. ``args`` are (Move type, value) pairs: int for integers, str for
    address and String, bytes for ``vector<u8>``, a tuple for other vectors."""

    module: str
    function: str
    args: tuple[tuple[str, Any], ...]
    type_args: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, *args: tuple[str, Any]) -> EntryCall:
        """The call of ``module::function`` of the market's package."""
        module, function = name.split("::")
        return cls(module=module, function=function, args=args)

    @property
    def name(self) -> str:
        """``module::function``."""
        return f"{self.module}::{self.function}"


_call = EntryCall.of


# access_control


def propose_admin(proposed: str) -> EntryCall:
    """The admin offers its place to ``proposed``."""
    return _call("access_control::propose_admin", ("address", proposed))


def cancel_admin_proposal() -> EntryCall:
    """The admin withdraws the offer."""
    return _call("access_control::cancel_admin_proposal")


def accept_admin() -> EntryCall:
    """The proposed account becomes the admin."""
    return _call("access_control::accept_admin")


def grant_role(role: int, account: str) -> EntryCall:
    """The admin gives a role (``ROLE_…``)."""
    return _call("access_control::grant_role", ("u8", role), ("address", account))


def revoke_role(role: int, account: str) -> EntryCall:
    """The admin takes a role away."""
    return _call("access_control::revoke_role", ("u8", role), ("address", account))


def pause() -> EntryCall:
    """A pauser stops issuing and giving; cancelling, claiming and retiring go on."""
    return _call("access_control::pause")


def unpause() -> EntryCall:
    """The admin ends the pause."""
    return _call("access_control::unpause")


def register_verifier(account: str, public_key: bytes, organisation: bytes) -> EntryCall:
    """The admin registers a reviewer: Ed25519 key and organisation's commitment, 32 bytes each."""
    return _call(
        "access_control::register_verifier",
        ("address", account),
        ("vector<u8>", public_key),
        ("vector<u8>", organisation),
    )


def remove_verifier(account: str) -> EntryCall:
    """The admin removes a reviewer."""
    return _call("access_control::remove_verifier", ("address", account))


def freeze_account(account: str, reason: str) -> EntryCall:
    """A pauser stops an account from withdrawing, giving and retiring."""
    return _call("access_control::freeze_account", ("address", account), ("String", reason))


def unfreeze_account(account: str, reason: str) -> EntryCall:
    """A pauser lifts a freeze."""
    return _call("access_control::unfreeze_account", ("address", account), ("String", reason))


# methodology


def register_methodology(
    methodology: str,
    version: int,
    formula: int,
    numerator: int,
    denominator: int,
    buffer_bps: int,
    document_hash: bytes,
) -> EntryCall:
    """The admin registers a version: grams = floor(sum * numerator / denominator), buffer in 1/10,000."""
    return _call(
        "methodology::register",
        ("String", methodology),
        ("u64", version),
        ("u8", formula),
        ("u128", numerator),
        ("u128", denominator),
        ("u64", buffer_bps),
        ("vector<u8>", document_hash),
    )


def retire_methodology(methodology: str, version: int) -> EntryCall:
    """The admin closes a version to new projects and issues."""
    return _call("methodology::retire", ("String", methodology), ("u64", version))


# project_registry


def register_project(
    project: str,
    developer: str,
    organisation: bytes,
    country: str,
    methodology: str,
    methodology_version: int,
    metadata_hash: bytes,
) -> EntryCall:
    """The issuer registers a project; ``organisation`` is its developer's commitment, 32 bytes."""
    return _call(
        "project_registry::register",
        ("String", project),
        ("address", developer),
        ("vector<u8>", organisation),
        ("String", country),
        ("String", methodology),
        ("u64", methodology_version),
        ("vector<u8>", metadata_hash),
    )


def set_developer(project: str, developer: str) -> EntryCall:
    """The issuer moves a project to another account of its developer."""
    return _call("project_registry::set_developer", ("String", project), ("address", developer))


def set_project_active(project: str, active: bool) -> EntryCall:
    """The issuer stops a project from issuing, or lets it go on."""
    return _call("project_registry::set_active", ("String", project), ("bool", active))


def set_project_methodology(project: str, methodology: str, methodology_version: int) -> EntryCall:
    """The issuer moves a project to another methodology version."""
    return _call(
        "project_registry::set_methodology",
        ("String", project),
        ("String", methodology),
        ("u64", methodology_version),
    )


def set_project_metadata(project: str, metadata_hash: bytes) -> EntryCall:
    """The issuer commits to a project's new description."""
    return _call("project_registry::set_metadata", ("String", project), ("vector<u8>", metadata_hash))


# data_anchor


def anchor(
    project: str,
    hours: Sequence[int],
    parts: Sequence[int],
    roots: Sequence[bytes],
    counts: Sequence[int],
    positives: Sequence[int],
    negatives: Sequence[int],
    uris: Sequence[str],
) -> EntryCall:
    """The oracle anchors 1 to 48 hours (unix seconds, whole hours): each the next part of its hour, its
    Merkle root, number of readings, both sums and where the evidence lies."""
    return _call(
        "data_anchor::anchor",
        ("String", project),
        ("vector<u64>", tuple(hours)),
        ("vector<u64>", tuple(parts)),
        ("vector<vector<u8>>", tuple(roots)),
        ("vector<u64>", tuple(counts)),
        ("vector<u128>", tuple(positives)),
        ("vector<u128>", tuple(negatives)),
        ("vector<String>", tuple(uris)),
    )


def close_period(project: str, start: int, end: int) -> EntryCall:
    """The oracle closes whole UTC days from ``start`` to ``end`` (unix seconds, at most 366 days)."""
    return _call("data_anchor::close_period", ("String", project), ("u64", start), ("u64", end))


def reopen_period(project: str, number: int) -> EntryCall:
    """The oracle frees a closed period that was not issued."""
    return _call("data_anchor::reopen_period", ("String", project), ("u64", number))


# carbon_credit


def issue(
    project: str,
    period_number: int,
    batch_id: str,
    grams: int,
    report_hash: bytes,
    signers: Sequence[str],
    signatures: Sequence[bytes],
    labels: int,
    uri: str,
) -> EntryCall:
    """The issuer issues a closed period's grams with the drawn reviewers' signatures."""
    return _call(
        "carbon_credit::issue",
        ("String", project),
        ("u64", period_number),
        ("String", batch_id),
        ("u64", grams),
        ("vector<u8>", report_hash),
        ("vector<address>", tuple(signers)),
        ("vector<vector<u8>>", tuple(signatures)),
        ("u64", labels),
        ("String", uri),
    )


def give(batch: str, to: str, grams: int) -> EntryCall:
    """The holder gives grams of the batch at address ``batch``."""
    return _call("carbon_credit::give", ("address", batch), ("address", to), ("u64", grams))


def retire(
    batch: str,
    grams: int,
    retirement_id: str,
    beneficiary_commitment: bytes,
    reason: str,
    country: str,
    period_start: int,
    period_end: int,
) -> EntryCall:
    """The holder retires grams for good; the contract gives their serial range."""
    return _call(
        "carbon_credit::retire",
        ("address", batch),
        ("u64", grams),
        ("String", retirement_id),
        ("vector<u8>", beneficiary_commitment),
        ("String", reason),
        ("String", country),
        ("u64", period_start),
        ("u64", period_end),
    )


def cancel(batch: str, grams: int, cancellation_id: str, reason: str) -> EntryCall:
    """The holder destroys grams without claiming them."""
    return _call(
        "carbon_credit::cancel",
        ("address", batch),
        ("u64", grams),
        ("String", cancellation_id),
        ("String", reason),
    )


def reverse(batch: str, grams: int, reversal_id: str, evidence_hash: bytes) -> EntryCall:
    """The issuer takes back reversed grams: buffer first, then the developer's own, then as debt."""
    return _call(
        "carbon_credit::reverse",
        ("address", batch),
        ("u64", grams),
        ("String", reversal_id),
        ("vector<u8>", evidence_hash),
    )


def repay_debt(project: str, batch: str, grams: int, cancellation_id: str) -> EntryCall:
    """The holder cancels grams against a project's reversal debt."""
    return _call(
        "carbon_credit::repay_debt",
        ("String", project),
        ("address", batch),
        ("u64", grams),
        ("String", cancellation_id),
    )


def set_labels(batch: str, labels: int) -> EntryCall:
    """The issuer sets a batch's label bits."""
    return _call("carbon_credit::set_labels", ("address", batch), ("u64", labels))


# imports


def import_batch(
    owner: str,
    batch_id: str,
    registry: str,
    registry_serial: str,
    project: str,
    project_name: str,
    country: str,
    methodology: str,
    vintage_start: int,
    vintage_end: int,
    grams: int,
    labels: int,
    uri: str,
) -> EntryCall:
    """The issuer brings another registry's credits here, once for each of its serials, all to ``owner``.

    ``registry`` and ``project`` are ids as that registry has them, ``registry_serial`` its own text,
    ``methodology`` a text. The contract adds the label "not measured here".
    """
    return _call(
        "imports::import_batch",
        ("address", owner),
        ("String", batch_id),
        ("String", registry),
        ("String", registry_serial),
        ("String", project),
        ("String", project_name),
        ("String", country),
        ("String", methodology),
        ("u64", vintage_start),
        ("u64", vintage_end),
        ("u64", grams),
        ("u64", labels),
        ("String", uri),
    )


# certificate_registry


def set_certificate_uri(prefix: str) -> EntryCall:
    """The admin sets what certificate tokens' URIs begin with."""
    return _call("certificate_registry::set_certificate_uri", ("String", prefix))


# reputation_system


def verify_account(account: str, party: bytes, evidence_hash: bytes) -> EntryCall:
    """The oracle says that an account is of a verified party (its commitment, 32 bytes)."""
    return _call(
        "reputation_system::verify_account",
        ("address", account),
        ("vector<u8>", party),
        ("vector<u8>", evidence_hash),
    )


def withdraw_verification(account: str, evidence_hash: bytes) -> EntryCall:
    """The oracle takes an account from its party: it rates and is rated no more."""
    return _call(
        "reputation_system::withdraw_verification", ("address", account), ("vector<u8>", evidence_hash)
    )


def rate_party(
    subject: str,
    counterparty: str,
    dimension: int,
    reference: str,
    mark: int,
    weight: int,
    evidence_hash: bytes,
) -> EntryCall:
    """The oracle writes what the counterparty of a trade or review says of the subject: ``mark`` 0 to 10,000,
    ``weight`` 1 to 100, ``reference`` the trade's or review's id, ``dimension`` as in ``reputation``."""
    return _call(
        "reputation_system::rate",
        ("address", subject),
        ("address", counterparty),
        ("u8", dimension),
        ("String", reference),
        ("u64", mark),
        ("u64", weight),
        ("vector<u8>", evidence_hash),
    )


def rate_data(subject: str, reference: str, mark: int, weight: int, evidence_hash: bytes) -> EntryCall:
    """The oracle writes what a period's readings say of the subject's data quality."""
    return _call(
        "reputation_system::rate_data",
        ("address", subject),
        ("String", reference),
        ("u64", mark),
        ("u64", weight),
        ("vector<u8>", evidence_hash),
    )


# What the sponsor pays for: the daily work of organisations, issuer and oracle, never an admin's acts.
_SPONSORED = (
    "project_registry::register",
    "data_anchor::anchor",
    "data_anchor::close_period",
    "data_anchor::reopen_period",
    "carbon_credit::issue",
    "carbon_credit::give",
    "carbon_credit::retire",
    "carbon_credit::cancel",
    "imports::import_batch",
    "reputation_system::verify_account",
    "reputation_system::withdraw_verification",
    "reputation_system::rate",
    "reputation_system::rate_data",
    "marketplace::open_book",
    "marketplace::place",
    "marketplace::amend",
    "marketplace::cancel",
    "marketplace::cancel_page",
    "marketplace::work",
    "market_purchases::buy_by_criteria",
    "market_purchases::buy_and_retire",
    "market_purchases::retire",
    "market_vault::deposit",
    "market_vault::claim",
    "market_fees::distribute",
    "listings::create",
    "listings::buy",
    "listings::set_price",
    "listings::cancel",
    "gifts::make",
    "gifts::claim",
    "gifts::take_back",
)
# A transfer of nothing to oneself uses up a sequence number that a dead transaction left free.
_GAP_FILLER = "aptos_account::transfer"

# What a seller who is paid in fiat has earned moves to the treasury by it.
_SEND_ASSET = "primary_fungible_store::transfer"


def send_asset(asset: str, to: str, amount: int) -> EntryCall:
    """The holder sends units of a fungible asset (its metadata's address) from its wallet to another's."""
    module, function = _SEND_ASSET.split("::")
    return EntryCall(
        module=f"0x1::{module}",
        function=function,
        args=(("address", asset), ("address", to), ("u64", amount)),
        type_args=("0x1::fungible_asset::Metadata",),
    )


def gap_filler(account: str) -> EntryCall:
    """A transfer of 0 octas from an account to itself."""
    module, function = _GAP_FILLER.split("::")
    args = (("address", account), ("u64", 0))
    return EntryCall(module=f"0x1::{module}", function=function, args=args)


def sponsored_names(market: str) -> frozenset[str]:
    """Full names ``0x…::module::function``, in the long form, of what the sponsor may pay for."""
    ours = (f"{canonical(market)}::{name}" for name in _SPONSORED)
    return frozenset((*ours, *(f"{canonical('0x1')}::{name}" for name in (_GAP_FILLER, _SEND_ASSET))))
