"""Five messages that must be refused, each for a reason of its own, beside the 10,000 readings that count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from carbonmarket import readings, times
from edge.agent import BrokerRefused
from edge.link import MqttLink, refusal
from infra.local.demo.project import CAPACITY_W, Gateway

_CONNECT_S = 20
# After the series' end, and far from its sequence numbers.
_START = "2016-10-20T12:00:00Z"
_SEQUENCE = 1_000_000


def send_all(solar: Gateway, neighbour: Gateway, sent_at_us: int) -> int:
    """Publish the five; returns how many readings they held."""
    good = _Forger(solar, sent_at_us)
    publish(
        solar,
        [
            _with_broken_signature(good.message(sequence=_SEQUENCE)),
            # The series' first sequence number again, with other bytes.
            good.message(sequence=1),
            good.message(sequence=_SEQUENCE + 1, power_w=CAPACITY_W + 1),
            good.message(sequence=_SEQUENCE + 2, device="DEVNOBODYKNOWS"),
        ],
    )
    # Signed and sent by the neighbour's own gateway, but in the name of the solar project.
    stranger = _Forger(neighbour, sent_at_us, project=solar.identity.project, device=solar.identity.device)
    publish(neighbour, [stranger.message(sequence=1)])
    return 5


class _Forger:
    def __init__(self, gateway: Gateway, sent_at_us: int, project: str = "", device: str = "") -> None:
        self._gateway = gateway
        self._sent_at = times.format_us(sent_at_us)
        self._project = project or gateway.identity.project
        self._device = device or gateway.identity.device

    def message(self, *, sequence: int, power_w: int = 1_000, device: str = "") -> bytes:
        """One signed reading."""
        identity = self._gateway.identity
        return readings.sign_message(
            environment=identity.environment,
            project=self._project,
            gateway=identity.gateway,
            sequence=sequence,
            sent_at=self._sent_at,
            readings=[
                {
                    "device": device or self._device,
                    "type": identity.type,
                    "start": _START,
                    "seconds": identity.interval_seconds,
                    "power_uw": power_w * 1_000_000,
                }
            ],
            key=self._gateway.signing_key,
        )


def _with_broken_signature(payload: bytes) -> bytes:
    """The message with the last digit of its signature changed, still in canonical form."""
    before, marker, after = payload.partition(b'"signature":"')
    digits = after[:128]
    changed = digits[:-1] + (b"0" if digits[-1:] != b"0" else b"1")
    return before + marker + changed + after[128:]


def publish(gateway: Gateway, payloads: list[bytes]) -> None:
    """Publish on the gateway's own topic, each acknowledged."""
    link = MqttLink(gateway.endpoint, gateway.identity.gateway)
    with _connected(link):
        for payload in payloads:
            why = refusal(link.publish(gateway.identity.topic, payload).result(_CONNECT_S))
            if why:
                raise BrokerRefused(why)


@contextmanager
def _connected(link: MqttLink) -> Iterator[None]:
    link.start()
    try:
        if not link.connected.wait(_CONNECT_S):
            raise BrokerRefused(f"no connection to the broker: {link.last_failure}")
        yield
    finally:
        link.stop()
