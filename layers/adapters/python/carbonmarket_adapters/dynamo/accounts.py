"""Table accounts: organisations, and which of them an account on chain belongs to.

Keys: ``organisation#<id>`` / ``organisation`` (listed by gsi1 ``organisations``) · ``address#<address>`` /
``address``.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import AuditEntry
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.audit import AuditedTable
from carbonmarket_adapters.dynamo.table import Kind, Write


class AddressOwner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose an address is."""

    organisation: str


ORGANISATION = Kind("organisation", Organisation)
ADDRESS = Kind("address", AddressOwner)


class DynamoAccounts:
    """The :class:`carbonmarket.ports.accounts.AccountsStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = AuditedTable(settings, "accounts")

    def organisation(self, organisation: str) -> Organisation | None:
        stored = self._table.get(ORGANISATION, f"organisation#{organisation}", "organisation")
        return stored.record if stored else None

    def organisation_at(self, address: str) -> Organisation | None:
        owner = self._table.get(ADDRESS, f"address#{address}", "address")
        return self.organisation(owner.record.organisation) if owner else None

    def organisations(self, after: str | None) -> Iterator[tuple[str, Organisation]]:
        for key, stored in self._table.query_gsi1(ORGANISATION, "organisations", after=after):
            yield key, stored.record

    def add_organisation(self, organisation: Organisation, entry: AuditEntry) -> None:
        key = (f"organisation#{organisation.id}", "organisation")
        owner = AddressOwner(organisation=organisation.id)
        self._table.save(
            [
                Write(ORGANISATION, *key, organisation, 0, "organisations", organisation.id),
                Write(ADDRESS, f"address#{organisation.account_address}", "address", owner, 0),
            ],
            entry,
        )
