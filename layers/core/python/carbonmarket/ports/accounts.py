"""What is kept of organisations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import AuditEntry


class AccountsStore(Protocol):
    """Organisations by id and by their accounts on chain."""

    def organisation(self, organisation: str) -> Organisation | None: ...

    def organisation_at(self, address: str) -> Organisation | None:
        """Whose account on chain (address in the long form) this is."""
        ...

    def organisations(self, after: str | None) -> Iterator[tuple[str, Organisation]]: ...

    def add_organisation(self, organisation: Organisation, entry: AuditEntry) -> None:
        """Keep a new organisation; StaleWrite if its id or account is taken."""
        ...
