"""The agent: measurements into signed messages, messages through the outbox to the broker."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket import readings, times
from edge.link import MqttLink, refusal
from edge.outbox import Entry, Outbox
from edge.sources import Measurement

MESSAGE_SECONDS = 3_600
"""The message interval: readings that begin in one UTC hour share a message."""
# AWS IoT takes 100 unacknowledged messages of one connection.
_IN_FLIGHT_MAX = 100
_WAIT_SECONDS = 0.05


class BrokerRefused(Exception):
    """The broker answered that this gateway may not publish; sending again would not help."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the gateway is, which device it reads and of what type, and how long the device's intervals are."""

    environment: str
    project: str
    gateway: str
    device: str
    type: str
    interval_seconds: int

    @property
    def topic(self) -> str:
        """Where it publishes."""
        return f"carbonmarket/{self.environment}/gateways/{self.gateway}/messages"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a progress callback is told: readings signed, messages undelivered, and the connection.

    ``failure`` says why there is none, where connecting was tried and failed.
    """

    readings: int
    waiting: int
    connected: bool
    failure: str


class EdgeAgent:
    """One gateway. ``clock_us`` gives the time that messages are stamped with."""

    def __init__(
        self,
        identity: Identity,
        key: Ed25519PrivateKey,
        outbox: Outbox,
        link: MqttLink,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._identity = identity
        self._key = key
        self._outbox = outbox
        self._link = link
        self._clock_us = clock_us
        self._answers: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._in_flight: set[int] = set()
        self._sent_up_to = 0

    def run(
        self, measurements: Iterable[Measurement], progress: Callable[[Status], None] = lambda _: None
    ) -> None:
        """Sign and store everything, forwarding as it goes; return when the broker has it all.

        ``measurements`` are in the order of time and begin after the line that the outbox has come to. An
        outage of the broker is waited out; BrokerRefused if it says no.
        """
        recorded, stop = threading.Event(), threading.Event()
        forwarder = ThreadPoolExecutor(1, thread_name_prefix="forward")
        self._link.start()
        try:
            forwarding = forwarder.submit(self._forward_until, recorded, stop, progress)
            for entry in self._entries(measurements):
                self._outbox.store([entry])
                if forwarding.done():
                    break
            recorded.set()
            forwarding.result()
        finally:
            stop.set()
            forwarder.shutdown()
            self._link.stop()

    def _forward_until(
        self, recorded: threading.Event, stop: threading.Event, progress: Callable[[Status], None]
    ) -> None:
        """Forward until all is recorded and delivered. A thread of its own, since a meter may be slow."""
        while not stop.is_set() and not (recorded.is_set() and self._outbox.count() == 0):
            self._forward()
            progress(self._status())

    def _entries(self, measurements: Iterable[Measurement]) -> Iterator[Entry]:
        sequence = self._outbox.progress().sequence
        for _, group in groupby(measurements, key=_message_of):
            rows = tuple(group)
            if rows[0].power_uw is None:
                yield Entry(sequence=None, payload=b"", measurements=rows)
            else:
                sequence += 1
                yield self._sign(sequence, rows)

    def _sign(self, sequence: int, rows: tuple[Measurement, ...]) -> Entry:
        identity = self._identity
        payload = readings.sign_message(
            environment=identity.environment,
            project=identity.project,
            gateway=identity.gateway,
            sequence=sequence,
            sent_at=times.format_us(self._clock_us()),
            readings=[
                {
                    "device": identity.device,
                    "type": identity.type,
                    "start": times.format_s(row.start_s),
                    "seconds": identity.interval_seconds,
                    "power_uw": row.power_uw,
                }
                for row in rows
            ],
            key=self._key,
        )
        return Entry(sequence=sequence, payload=payload, measurements=rows)

    def _forward(self) -> None:
        """Send what there is room for, then take the answers that have come."""
        if self._link.connected.is_set():
            room = _IN_FLIGHT_MAX - len(self._in_flight)
            for sequence, payload in self._outbox.waiting(self._sent_up_to, room) if room else ():
                self._sent_up_to = sequence
                if sequence not in self._in_flight:
                    self._publish(sequence, payload)
        delivered = []
        for sequence, answer in self._drain():
            self._in_flight.discard(sequence)
            if isinstance(answer, BaseException):
                # Not acknowledged: it is still in the outbox and is sent again from there.
                self._sent_up_to = min(self._sent_up_to, sequence - 1)
            elif why := refusal(answer):
                raise BrokerRefused(f"the broker refused message {sequence} on {self._identity.topic}: {why}")
            else:
                delivered.append(sequence)
        if delivered:
            self._outbox.delivered(delivered)

    def _publish(self, sequence: int, payload: bytes) -> None:
        self._in_flight.add(sequence)
        future = self._link.publish(self._identity.topic, payload)
        future.add_done_callback(
            lambda done: self._answers.put((sequence, done.exception() or done.result()))
        )

    def _drain(self) -> Iterator[tuple[int, Any]]:
        """The answers that have come; waits a moment for the first."""
        try:
            yield self._answers.get(timeout=_WAIT_SECONDS)
            while True:
                yield self._answers.get_nowait()
        except queue.Empty:
            return

    def _status(self) -> Status:
        connected = self._link.connected.is_set()
        return Status(
            readings=self._outbox.progress().readings,
            waiting=self._outbox.count(),
            connected=connected,
            failure="" if connected else self._link.last_failure,
        )


def _message_of(measurement: Measurement) -> tuple[bool, int]:
    """What measurements of one message have in common: that they were read, and their hour."""
    return measurement.power_uw is None, measurement.start_s // MESSAGE_SECONDS
