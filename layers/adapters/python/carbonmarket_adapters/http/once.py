"""Idempotency-Key: a request that is sent again gets the first answer, and its effect happens once.

Powertools keeps the answers in the table ``idempotency`` for a day. A refused request keeps none, so that it
can be sent again after its cause is gone. Ids are derived from the key too (``carbonmarket.ids``), so that a
request which died between its effect and its answer finds its effect when it is repeated; and so does one
whose kept answer says only that it isn't finished.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from carbonmarket.errors import Conflict, IdempotencyMismatch, MarketError
from carbonmarket.records.principal import Principal
from carbonmarket.settings import Settings

KEPT_S = 86_400
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyMissing(MarketError):
    """A write without an Idempotency-Key, or with one that is no key."""

    status = 400
    code = "idempotency-key-missing"


class StillRunning(Conflict):
    """The first request with this key has not been answered yet."""

    code = "request-in-progress"


def key_of(headers: Any) -> str:
    """The request's key; KeyMissing where there is none."""
    key = headers.get("idempotency-key", "")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise KeyMissing(
            "send the header Idempotency-Key, 1 to 255 printable characters, the same when you repeat it",
            field="Idempotency-Key",
        )
    return key


def once(
    work: Callable[[], dict[str, Any]],
    *,
    key: str,
    request: dict[str, Any],
    caller: Principal,
    settings: Settings,
    client: Any,
    context: Any,
    tells_more: Callable[[dict[str, Any]], bool] = lambda _kept: False,
) -> dict[str, Any]:
    """The answer of ``work``: run now, or kept from the first time this organisation used ``key``.

    ``request`` is what must be equal for a repetition to count as one (operation, path, body). A kept answer
    of which ``tells_more`` says so is not given again: ``work`` is, and knows by the key what it did.
    """
    # 190 ms to import, and only writes need it.
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )
    from aws_lambda_powertools.utilities.idempotency import exceptions as failures

    config = IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="request",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=KEPT_S,
        hash_function="sha256",
        lambda_context=context,
    )
    store = DynamoDBPersistenceLayer(
        table_name=settings.prefix + "idempotency",
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=caller.organisation,
        expiry_attr="expires_at",
        boto3_client=client,
    )

    ran = False

    def run(*, data: dict[str, Any]) -> dict[str, Any]:
        nonlocal ran
        ran = True
        return work()

    guarded = idempotent_function(
        run, data_keyword_argument="data", config=config, persistence_store=store, key_prefix="http"
    )

    try:
        answer = dict(guarded(data={"key": key, "request": {**request, "subject": caller.subject}}))
    except failures.IdempotencyValidationError:
        raise IdempotencyMismatch(
            "this Idempotency-Key was used for another request; take a new key", field="Idempotency-Key"
        ) from None
    except (failures.IdempotencyAlreadyInProgressError, failures.IdempotencyInconsistentStateError):
        raise StillRunning(
            "the first request with this Idempotency-Key is still running; repeat it later"
        ) from None
    return work() if not ran and tells_more(answer) else answer
