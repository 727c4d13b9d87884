"""Whether a caller may: checked inside each operation, whatever let the request in."""

from __future__ import annotations

from carbonmarket.errors import NotAllowed, NotFound
from carbonmarket.records.principal import OPERATOR, Principal


def require_role(caller: Principal, *roles: str) -> None:
    """Refuse (NotAllowed) a caller who has none of ``roles``."""
    if not caller.roles & set(roles):
        raise NotAllowed(
            f"you need the role {' or '.join(sorted(roles))} for this; you have {_roles(caller)}"
        )


def require_organisation(caller: Principal, organisation: str, what: str) -> None:
    """Refuse who is neither of the organisation nor an operator; NotFound, so that no id can be tried out."""
    if caller.organisation != organisation and OPERATOR not in caller.roles:
        raise NotFound(f"there is no {what} with this id among those of your organisation")


def require_own(caller: Principal, organisation: str, what: str) -> None:
    """Refuse (NotAllowed) who is not of the organisation itself; operators too act for none but their own."""
    if caller.organisation != organisation:
        raise NotAllowed(f"the {what} belongs to another organisation")


def _roles(caller: Principal) -> str:
    return ", ".join(sorted(caller.roles)) or "none"
