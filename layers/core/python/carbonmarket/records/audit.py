"""The audit: one entry per change of state, appended and never changed."""

from __future__ import annotations

import msgspec

from carbonmarket.records.principal import Principal

SYSTEM = Principal(subject="system", organisation="", roles=frozenset())
"""Who acts in a saga's step, where no person does."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who (a subject's id) did what (an operation's name) to which thing, and into which state it came.

    No personal data: ids only.
    """

    at_us: int
    subject: str
    organisation: str
    action: str
    thing: str
    state: str


def told(caller: Principal, action: str, thing: str, state: str, now_us: int) -> AuditEntry:
    """The entry that says: ``caller`` did ``action`` to ``thing``, which is now in ``state``."""
    return AuditEntry(
        at_us=now_us,
        subject=caller.subject,
        organisation=caller.organisation,
        action=action,
        thing=thing,
        state=state,
    )
