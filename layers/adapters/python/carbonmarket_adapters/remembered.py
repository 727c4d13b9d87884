"""What never changes once it is there, kept in a process' memory: it is asked for with every order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeVar

from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import AuditEntry

_KEPT_MAX = 10_000
K = TypeVar("K")
R = TypeVar("R")


def remembered(look_up: Callable[[K], R | None]) -> Callable[[K], R | None]:
    """``look_up`` that asks once for what it finds; what is not there yet is asked for again."""
    found: OrderedDict[K, R] = OrderedDict()

    def look(key: K) -> R | None:
        if key in found:
            return found[key]
        record = look_up(key)
        if record is not None:
            found[key] = record
            if len(found) > _KEPT_MAX:
                found.popitem(last=False)
        return record

    return look


class RememberedAccounts:
    """An :class:`~carbonmarket.ports.accounts.AccountsStore` that remembers: organisations never change."""

    def __init__(self, accounts: AccountsStore) -> None:
        self._accounts = accounts
        self._look = remembered(accounts.organisation)

    def organisation(self, organisation: str) -> Organisation | None:
        return self._look(organisation)

    def organisation_at(self, address: str) -> Organisation | None:
        return self._accounts.organisation_at(address)

    def organisations(self, after: str | None) -> Iterator[tuple[str, Organisation]]:
        return self._accounts.organisations(after)

    def add_organisation(self, organisation: Organisation, entry: AuditEntry) -> None:
        self._accounts.add_organisation(organisation, entry)
