"""The first half: what a message shows by itself and by its gateway's key."""

from __future__ import annotations

import hashlib

import msgspec

from carbonmarket import canonical, readings, times
from carbonmarket.errors import InvalidInput
from carbonmarket.records.devices import CLOCK_AHEAD_MAX_US, HOUR_US, Gateway, MessageReason

MESSAGE_HOURS_MAX = 24
"""A message may hold readings of so many hours, since all of its effects are one DynamoDB transaction."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a queue handed it over.

    ``key`` is the queue's name for it, ``gateway`` the one whose topic it came on, ``data`` its bytes.
    """

    key: str
    gateway: str
    received_us: int
    data: bytes


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is its gateway's own. ``hash`` is the SHA-256 of its bytes in hex; ``starts_us`` are
    the starts of its readings, None where one is no time."""

    delivery: Delivery
    gateway: Gateway
    message: readings.Message
    hash: str
    sent_us: int
    starts_us: tuple[int | None, ...]

    @property
    def hours_us(self) -> set[int]:
        """The anchor hours its readings begin in."""
        return {start // HOUR_US * HOUR_US for start in self.starts_us if start is not None}


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A whole message that isn't taken. ``project`` is its gateway's, or "" if there is none;
    ``readings`` is how many it holds, 1 where that can't be told."""

    delivery: Delivery
    project: str
    hash: str
    sequence: int | None
    reason: MessageReason
    detail: str
    readings: int


def open_delivery(delivery: Delivery, gateway: Gateway | None, environment: str) -> Opened | Refused:
    """Check form, gateway, signature, project and clock, in this order; the first failure decides."""
    digest = hashlib.sha256(delivery.data).hexdigest()
    project = gateway.project if gateway is not None else ""
    try:
        message = readings.parse_message(delivery.data)
        sent_us = times.parse_us(message.sent_at, "sent_at")
    except InvalidInput as error:
        return Refused(
            delivery=delivery,
            project=project,
            hash=digest,
            sequence=None,
            reason=_form_reason(delivery.data),
            detail=error.reason,
            readings=1,
        )
    refusal = _refusal(delivery, message, gateway, environment, sent_us)
    if refusal is None and gateway is not None:
        opened = Opened(
            delivery=delivery,
            gateway=gateway,
            message=message,
            hash=digest,
            sent_us=sent_us,
            starts_us=tuple(_start(reading["start"]) for reading in message.readings),
        )
        if len(opened.hours_us) <= MESSAGE_HOURS_MAX:
            return opened
        refusal = (
            "too_many_hours",
            f"the message spans {len(opened.hours_us)} hours, over {MESSAGE_HOURS_MAX}",
        )
    assert refusal is not None
    return Refused(
        delivery=delivery,
        project=project,
        hash=digest,
        sequence=message.sequence,
        reason=refusal[0],
        detail=refusal[1],
        readings=len(message.readings),
    )


def _refusal(
    delivery: Delivery, message: readings.Message, gateway: Gateway | None, environment: str, sent_us: int
) -> tuple[MessageReason, str] | None:
    if gateway is None:
        return "unknown_gateway", f"there is no gateway {delivery.gateway}"
    if gateway.revoked_us is not None and gateway.revoked_us <= delivery.received_us:
        return "unknown_gateway", f"gateway {gateway.id} was revoked at {times.format_us(gateway.revoked_us)}"
    if message.gateway != gateway.id:
        return "other_gateway", f"the message of {message.gateway} came on the topic of {gateway.id}"
    try:
        readings.verify_message(message, bytes.fromhex(gateway.public_key))
    except readings.BadSignature as error:
        return "bad_signature", error.reason
    return _content_refusal(delivery, message, gateway, environment, sent_us)


def _content_refusal(
    delivery: Delivery, message: readings.Message, gateway: Gateway, environment: str, sent_us: int
) -> tuple[MessageReason, str] | None:
    if message.environment != environment:
        return "other_environment", f"the message is meant for {message.environment}, this is {environment}"
    if message.project != gateway.project:
        return "other_projects_gateway", f"gateway {gateway.id} does not report to {message.project}"
    if sent_us > delivery.received_us + CLOCK_AHEAD_MAX_US:
        return "clock_ahead", f"sent_at {message.sent_at} is over 10 minutes ahead; set the gateway's clock"
    return None


def _form_reason(data: bytes) -> MessageReason:
    try:
        canonical.loads(data)
    except InvalidInput:
        return "not_canonical"
    return "invalid_schema"


def _start(text: str) -> int | None:
    try:
        return times.parse_us(text, "start")
    except InvalidInput:
        return None
