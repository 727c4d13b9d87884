"""Organisations: who holds, develops, reviews and operates."""

from __future__ import annotations

from typing import Literal

import msgspec

OrganisationKind = Literal["developer", "buyer", "validator", "verifier", "operator"]

ORGANISATION_PREFIX = "ORG"
"""What organisations' ids begin with, and so the ids of their keys; no other key's id does."""


class Organisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation and its account on chain.

    ``account_address`` is controlled by the custodial key ``key_id``. ``commitment`` (hex) stands for the
    organisation on chain: SHA-256(0x02 ‖ salt ‖ canonical {"organisation": id}). ``reviewer_key`` is the
    public Ed25519 key (hex) whose private half a verifier's people sign approvals with and the market never
    sees; it is empty for every other kind. The contracts' admin registers it for the account on chain.
    """

    id: str
    name: str
    kind: OrganisationKind
    country: str
    account_address: str
    key_id: str
    commitment: str
    commitment_salt: str
    created_us: int
    reviewer_key: str = ""
