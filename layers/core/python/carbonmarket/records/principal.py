"""Who asks: the caller of an operation, as the border has proved it."""

from __future__ import annotations

import msgspec

DEVELOPER = "developer"
BUYER = "buyer"
VALIDATOR = "validator"
REVIEWER = "reviewer"
OPERATOR = "operator"
ROLES = frozenset({DEVELOPER, BUYER, VALIDATOR, REVIEWER, OPERATOR})


class Principal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person or a program acting for one organisation.

    ``subject`` is the identity provider's id of the person and never a name; ``organisation`` is an
    ``ORG…`` id; ``roles`` are of :data:`ROLES`.
    """

    subject: str
    organisation: str
    roles: frozenset[str]
