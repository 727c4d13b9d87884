"""What sagas keep besides their execution: the token of a review that waits for people."""

from __future__ import annotations

import msgspec


class ReviewTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The task token under which a period's saga waits for its reviewers. Secret: who has it can end the
    review. An execution that is run again brings a new token, which replaces the old one."""

    project: str
    period: str
    token: str
    report_hash: str
    reviewers: tuple[str, ...]
    created_us: int
