"""Notifications as messages of the queue ``notifications``, from which deliveries are made.

A message is {"version", "id", "type", "organisation", "data"} in the form of its type's schema in
``carbonmarket/schemas/events``; the id is the same whenever it is sent again. What waits for a person is
counted too, as a metric whose alarm tells the operators at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carbonmarket import canonical
from carbonmarket.ports.notifications import VERSION, NotificationType
from carbonmarket.settings import Settings
from carbonmarket_adapters.counting import count

_SERVICE = "notifications"
COUNTED: Mapping[str, str] = {"case.opened": "CaseOpened", "payout.waiting": "PayoutBeganToWait"}
"""The metrics of what waits for a person, by type."""


class SqsNotifications:
    """The :class:`carbonmarket.ports.notifications.Notifications` over SQS."""

    def __init__(self, settings: Settings, sqs: Any) -> None:
        self._sqs = sqs
        self._queue = settings.prefix + "notifications"

    def send(self, id: str, type: NotificationType, organisation: str, data: Mapping[str, str]) -> None:
        url = self._sqs.get_queue_url(QueueName=self._queue)["QueueUrl"]
        body = {"version": VERSION, "id": id, "type": type, "organisation": organisation, "data": dict(data)}
        self._sqs.send_message(QueueUrl=url, MessageBody=canonical.dumps(body).decode())
        if type in COUNTED:
            count(name=COUNTED[type], service=_SERVICE)
