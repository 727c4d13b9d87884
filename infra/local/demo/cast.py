"""Who plays: organisations, their people's tokens, and the reviewers' own keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.demo.client import User, development_token

_MARKET_OPERATOR = "ORGOPERATOR"
VERIFIERS = 5


@dataclass(frozen=True)
class Party:
    """An organisation and somebody of it."""

    id: str
    address: str
    user: User


@dataclass(frozen=True)
class Reviewer:
    """A verifier's reviewer, who keeps the approval key outside the market."""

    party: Party
    key: Ed25519PrivateKey


@dataclass(frozen=True)
class Cast:
    """Everybody in the story."""

    operator: User
    developer: Party
    neighbour: Party
    validator: Party
    buyer: Party
    reviewers: tuple[Reviewer, ...]
    public: User


def assemble(url: str, development_key: str) -> Cast:
    """Admit the organisations through the API, register the reviewers on chain."""

    def user(subject: str, organisation: str, *roles: str) -> User:
        token = development_token(development_key, subject=subject, organisation=organisation, roles=roles)
        return User(url, token)

    operator = user("operator-1", _MARKET_OPERATOR, "operator")

    def admit(name: str, kind: str, role: str, reviewer_key: str = "") -> Party:
        body: dict[str, Any] = {"name": name, "kind": kind, "country": "US"}
        if reviewer_key:
            body["reviewer_key"] = reviewer_key
        made = operator.post("/v1/organisations", body, key="admit-" + name.lower().replace(" ", "-"))
        return Party(made["id"], made["account_address"], user(f"{role}-1", made["id"], role))

    reviewers = []
    for number in range(1, VERIFIERS + 1):
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw().hex()
        reviewers.append(Reviewer(admit(f"Verifier {number}", "verifier", "reviewer", public), key))
    cast = Cast(
        operator=operator,
        developer=admit("SERF Solar", "developer", "developer"),
        neighbour=admit("Mesa Solar", "developer", "developer"),
        validator=admit("Front Range Validation", "validator", "validator"),
        buyer=admit("Alpine Bakery", "buyer", "buyer"),
        reviewers=tuple(reviewers),
        public=User(url),
    )
    _register_on_chain(cast.reviewers)
    return cast


def _register_on_chain(reviewers: tuple[Reviewer, ...]) -> None:
    """The contracts' admin registers each reviewer, so that it can be drawn."""
    from carbonmarket_adapters.wiring import chain, registry
    from infra.bootstrap import admit_verifier

    for reviewer in reviewers:
        organisation = registry.accounts().organisation(reviewer.party.id)
        if organisation is None:
            raise LookupError(f"{reviewer.party.id} was admitted and can't be found")
        admit_verifier(chain.chain_access(), organisation)
