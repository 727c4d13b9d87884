"""Organisations: all for an operator, its own for everybody else."""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket.authorise import require_organisation
from carbonmarket.errors import NotFound
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.principal import OPERATOR, Principal


def get_organisation(organisation: str, *, caller: Principal, accounts: AccountsStore) -> Organisation:
    """One organisation."""
    require_organisation(caller, organisation, "organisation")
    found = accounts.organisation(organisation)
    if found is None:
        raise NotFound("there is no organisation with this id")
    return found


def list_organisations(
    after: str | None, *, caller: Principal, accounts: AccountsStore
) -> Iterator[tuple[str, Organisation]]:
    """Those the caller may see, in the order of ids."""
    for cursor, organisation in accounts.organisations(after):
        if OPERATOR in caller.roles or organisation.id == caller.organisation:
            yield cursor, organisation
