"""An organisation retires grams for a beneficiary: the saga retire begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from carbonmarket import canonical, ids
from carbonmarket.authorise import require_organisation, require_own, require_role
from carbonmarket.border import parse_span, require_chain_text
from carbonmarket.commitments import personal_commitment
from carbonmarket.errors import IdempotencyMismatch, NotFound
from carbonmarket.operations.find_credits import named_batch, own_organisation, require_holding
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.personal import SubjectKeys
from carbonmarket.ports.registry import NEW, Kept, RegistryStore
from carbonmarket.ports.sagas import Sagas
from carbonmarket.quantities import parse_grams
from carbonmarket.records.audit import told
from carbonmarket.records.credits import Purchase, Retirement
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal


class Beneficiary(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the retirement is for. ``name_is_public`` is the consent to show the name beside it."""

    name: str
    name_is_public: bool = False


class CreateRetirement(msgspec.Struct, frozen=True, kw_only=True):
    """``grams`` is a string; ``period`` is the span of the consumption that is made up for.

    ``source`` is the wallet, or "balance" for what the market holds claimable.
    """

    batch: str
    grams: str
    reason: str
    country: str
    period_start: str
    period_end: str
    beneficiary: Beneficiary
    source: Literal["wallet", "balance"] = "wallet"


class KnownBeneficiary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sealed: the name, and the salt (hex) with which it opens the commitment."""

    name: str
    salt: str


def certificate_url(public_url: str, retirement: str) -> str:
    """The address at which a certificate answers, and by which it names itself."""
    return f"{public_url}/v1/certificates/{retirement}"


def commitment_of(beneficiary: KnownBeneficiary) -> str:
    """The commitment (hex) that stands on chain and in the certificate."""
    return personal_commitment(bytes.fromhex(beneficiary.salt), {"name": beneficiary.name}).hex()


def retirement_id(caller: Principal, key: str) -> str:
    """The id of the retirement under a request's key."""
    return ids.derive("RET", caller.organisation, key)


def create_retirement(
    request: CreateRetirement,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    accounts: AccountsStore,
    chain: ChainAccess,
    subjects: SubjectKeys,
    sagas: Sagas,
    public_url: str,
    salt: bytes,
    now_us: int,
    purchase: Purchase | None = None,
) -> Retirement:
    """Take the order and start its saga; ``salt`` is 32 random bytes. Its id is the certificate's.

    With a ``purchase`` the grams are bought in the same transaction and need not be held.
    """
    require_role(caller, BUYER, DEVELOPER)
    grams = parse_grams(request.grams, "grams")
    reason = require_chain_text(request.reason, "reason")
    start_us, end_us = parse_span(request.period_start, request.period_end, "period_")
    owner = own_organisation(caller, accounts)
    id = retirement_id(caller, key)
    kept = registry.retirement(id)
    if kept is None:
        batch = named_batch(request.batch, registry=registry, chain=chain)
        from_balance = request.source == "balance"
        if purchase is None:
            require_holding(owner, batch, grams, chain=chain, from_balance=from_balance)
        known = KnownBeneficiary(name=request.beneficiary.name, salt=salt.hex())
        retirement = Retirement(
            id=id,
            organisation=owner.id,
            batch=batch.id,
            grams=grams,
            reason=reason,
            country=request.country,
            start_us=start_us,
            end_us=end_us,
            beneficiary=commitment_of(known),
            sealed=subjects.seal(id, canonical.dumps(msgspec.to_builtins(known))),
            name_is_public=request.beneficiary.name_is_public,
            certificate_url=certificate_url(public_url, id),
            state="accepted",
            created_us=now_us,
            from_balance=from_balance,
            purchase=purchase,
        )
        registry.save_retirement(retirement, NEW, told(caller, "create_retirement", id, "accepted", now_us))
    else:
        retirement = kept.record
        _require_same(retirement, request, purchase, (grams, start_us, end_us))
    sagas.start("retire", id, {"retirement": id})
    return retirement


def get_retirement(retirement: str, *, caller: Principal, registry: RegistryStore) -> Retirement:
    """One retirement of the caller's organisation."""
    return _visible(retirement, caller, registry).record


def list_retirements(
    after: str | None, *, caller: Principal, registry: RegistryStore
) -> Iterator[tuple[str, Retirement]]:
    """Those of the caller's organisation in the order of time."""
    return registry.retirements(caller.organisation, after)


def erase_beneficiary(
    retirement: str, *, caller: Principal, registry: RegistryStore, subjects: SubjectKeys, now_us: int
) -> Retirement:
    """Forget who the beneficiary is. The certificate and every proof stay valid."""
    kept = _visible(retirement, caller, registry)
    require_own(caller, kept.record.organisation, "retirement")
    subjects.erase(retirement)
    hidden = msgspec.structs.replace(kept.record, name_is_public=False)
    entry = told(caller, "erase_beneficiary", retirement, "erased", now_us)
    registry.save_retirement(hidden, kept.revision, entry)
    return hidden


def known_beneficiary(retirement: Retirement, subjects: SubjectKeys) -> KnownBeneficiary | None:
    """Who it is, or None once that was erased."""
    opened = subjects.open(retirement.sealed)
    return None if opened is None else msgspec.json.decode(opened, type=KnownBeneficiary)


def _visible(retirement: str, caller: Principal, registry: RegistryStore) -> Kept[Retirement]:
    kept = registry.retirement(retirement)
    if kept is None:
        raise NotFound("there is no retirement with this id", field="retirement")
    require_organisation(caller, kept.record.organisation, "retirement")
    return kept


def _require_same(
    kept: Retirement, request: CreateRetirement, purchase: Purchase | None, sums: tuple[int, int, int]
) -> None:
    then = (kept.batch, kept.reason, kept.country, kept.from_balance, kept.purchase)
    now = (request.batch, request.reason, request.country, request.source == "balance", purchase)
    if (then, (kept.grams, kept.start_us, kept.end_us)) != (now, sums):
        raise IdempotencyMismatch("this Idempotency-Key retired something else")
