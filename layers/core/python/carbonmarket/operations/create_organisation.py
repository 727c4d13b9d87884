"""An operator admits an organisation and gives it an account on chain."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.authorise import require_role
from carbonmarket.commitments import personal_commitment
from carbonmarket.errors import IdempotencyMismatch, InvalidInput
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import SignerPort
from carbonmarket.records.accounts import ORGANISATION_PREFIX, Organisation, OrganisationKind
from carbonmarket.records.audit import told
from carbonmarket.records.principal import OPERATOR, Principal


class CreateOrganisation(msgspec.Struct, frozen=True, kw_only=True):
    """``reviewer_key`` is asked of verifiers only: their Ed25519 public key in hex."""

    name: str
    kind: OrganisationKind
    country: str
    reviewer_key: str = ""


def decide_organisation(
    request: CreateOrganisation, *, id: str, address: str, salt: bytes, now_us: int
) -> Organisation:
    """The new organisation; InvalidInput where a reviewer's key is missing or out of place."""
    if (request.kind == "verifier") != bool(request.reviewer_key):
        raise InvalidInput("reviewer_key is needed of a verifier, and of nobody else", field="reviewer_key")
    return Organisation(
        id=id,
        name=request.name,
        kind=request.kind,
        country=request.country,
        account_address=address,
        key_id=id,
        commitment=personal_commitment(salt, {"organisation": id}).hex(),
        commitment_salt=salt.hex(),
        created_us=now_us,
        reviewer_key=request.reviewer_key,
    )


def create_organisation(
    request: CreateOrganisation,
    *,
    caller: Principal,
    key: str,
    accounts: AccountsStore,
    signer: SignerPort,
    salt: bytes,
    now_us: int,
) -> Organisation:
    """Admit an organisation; ``salt`` is 32 random bytes. The same key again answers the same one."""
    require_role(caller, OPERATOR)
    id = ids.derive(ORGANISATION_PREFIX, caller.organisation, key)
    existing = accounts.organisation(id)
    if existing is not None:
        same = (existing.name, existing.kind, existing.country, existing.reviewer_key)
        if same != (request.name, request.kind, request.country, request.reviewer_key):
            raise IdempotencyMismatch("this Idempotency-Key admitted another organisation")
        return existing
    # Checked before the key is made, so that a refused request leaves none behind.
    decide_organisation(request, id=id, address="", salt=salt, now_us=now_us)
    signer.create(id)
    made = decide_organisation(request, id=id, address=signer.address(id), salt=salt, now_us=now_us)
    accounts.add_organisation(made, told(caller, "create_organisation", id, "active", now_us))
    return made
