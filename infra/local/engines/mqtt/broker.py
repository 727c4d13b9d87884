"""mosquitto 2 with mutual TLS: a client is who its certificate names."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from infra.declarations import ROOT
from infra.local.engines.mqtt.authority import Authority, Identity
from infra.local.engines.process import Engine, EngineError, listens
from infra.local.settings import LOOPBACK

BRIDGE_USER = "bridge"
# Where packages put the broker, which a user's PATH may leave out.
PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
# Messages kept for the bridge while it is away: a day of a few thousand gateways.
_QUEUED_MAX = 200_000
_MESSAGE_BYTES_MAX = 131_072


def topic(stage: str, gateway: str) -> str:
    """Where a gateway publishes."""
    return f"carbonmarket/{stage}/gateways/{gateway}/messages"


def find_mosquitto() -> str:
    """The broker's program; :class:`EngineError` with the line that installs it if there is none."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    program = shutil.which("mosquitto", path=path)
    if program is None:
        raise EngineError("mosquitto 2 is not installed: sudo apt-get install -y mosquitto")
    return program


class Broker(Engine):
    """The broker. Each user publishes to its own topic alone; the bridge reads the stage's topics."""

    def __init__(self, state: Path, stage: str, port: int, log: Path | None = None) -> None:
        self.port = port
        self.authority = Authority(state / "ca")
        self.ca_path = self.authority.certificate_path
        self._state = state
        self._stage = stage
        super().__init__(
            "MQTT broker",
            [find_mosquitto(), "-c", state / "mqtt" / "mosquitto.conf"],
            log=log or state / "mosquitto.log",
            port=port,
            healthy=lambda: listens(port),
        )

    def start(self) -> None:
        """Write the configuration and start. Only now: another machine may run on the folder until then."""
        _configure(self._state, self._stage, self.port, self.authority)
        super().start()

    def issue_gateway_certificate(self, gateway_id: str) -> Identity:
        """The X.509 identity of a gateway; the same one when asked again."""
        return self.authority.issue(gateway_id)


def _configure(state: Path, stage: str, port: int, authority: Authority) -> None:
    folder = state / "mqtt"
    folder.mkdir(parents=True, exist_ok=True)
    acl = folder / "acl"
    acl.write_text(
        f"pattern write {topic(stage, '%u')}\n\nuser {BRIDGE_USER}\ntopic read carbonmarket/{stage}/#\n"
    )
    # mosquitto refuses or warns about files that others could read or change.
    acl.chmod(0o600)
    server = authority.issue("broker", server=True)
    lines = [
        # As root it would become another user, who cannot read the state folder.
        *(["user root"] if os.geteuid() == 0 else []),
        f"listener {port} {LOOPBACK}",
        f"cafile {authority.certificate_path}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"acl_file {acl}",
        # Without it each acknowledgement waits for the next packet: 61 messages a second.
        "set_tcp_nodelay true",
        "max_inflight_messages 1000",
        f"max_queued_messages {_QUEUED_MAX}",
        f"max_packet_size {_MESSAGE_BYTES_MAX}",
        "persistence true",
        f"persistence_location {folder}/",
        # Each second; at a clean end in any case.
        "autosave_interval 1",
        "log_dest stderr",
        *(f"log_type {kind}" for kind in ("error", "warning", "notice", "information")),
    ]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")


class RuleBridge(Engine):
    """The process that runs the topic rules; healthy once the broker has taken its subscriptions."""

    def __init__(
        self,
        state: Path,
        stage: str,
        mqtt_port: int,
        aws_url: str,
        log: Path,
        rules: Path = ROOT / "iot_rules",
    ) -> None:
        self._ready = state / "bridge.ready"
        command: list[str | int | Path] = [sys.executable, "-m", "infra.local.engines.mqtt", "--state", state]
        command += ["--stage", stage, "--port", mqtt_port, "--aws", aws_url, "--rules", rules]
        super().__init__("topic rules", command, log=log, healthy=self._ready.exists)

    def start(self) -> None:
        """Start; what an earlier run said of itself does not count."""
        self._ready.unlink(missing_ok=True)
        super().start()
