"""One machine: every engine, started in order, watched, and stopped in reverse.

with Machine(MachineSettings(), prepare=publish_contracts) as machine:
    machine.wait()
"""

from __future__ import annotations

import fcntl
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from rich.console import Console

from carbonmarket.settings import Settings
from infra.declarations import declarations, resource_name
from infra.local.deploy import client, deploy
from infra.local.engines.dynamodb import dynamodb
from infra.local.engines.events import events
from infra.local.engines.gateway import gateway
from infra.local.engines.ministack import ministack
from infra.local.engines.mqtt.authority import Identity
from infra.local.engines.mqtt.broker import Broker, RuleBridge
from infra.local.engines.process import Engine, EngineError, answers
from infra.local.engines.router import router
from infra.local.engines.stripe import stripe_server
from infra.local.preflight import preflight
from infra.local.settings import MachineSettings

Prepare = Callable[["Machine"], Settings]


class Machine:
    """The engines of a stage on this computer.

    ``prepare`` is called when the chain, AWS and the broker are up, before anything that is ours: it puts
    the contracts on the chain and returns the settings that functions and HTTP apps are given.
    """

    def __init__(self, settings: MachineSettings, prepare: Prepare, console: Console | None = None) -> None:
        self.settings = settings
        self.broker = Broker(settings.state, settings.stage, settings.mqtt_port, self._log("mosquitto"))
        self._prepare = prepare
        self._console = console or Console()
        self._running: list[Engine] = []
        self._lock: IO[str] | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start everything; returns when all of it serves. :class:`EngineError` says what is missing or
        could not start, and then nothing is left running."""
        missing = preflight()
        if missing:
            lines = "\n  ".join(str(one) for one in missing)
            raise EngineError(f"This machine lacks:\n  {lines}")
        for source in declarations(self.settings.stage).unfed():
            raise EngineError(
                f"no rule in iot_rules/ sends to queue {source.queue}, from which {source.function} takes; "
                "put the rule's file back"
            )
        self._take_state()
        self._stopping.clear()
        try:
            self._start_engines()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in reverse; the state stays in its folder."""
        self._stopping.set()
        while self._running:
            engine = self._running.pop()
            engine.stop()
            self._console.print(f"  [dim]stopped[/dim] {engine.name}")
        if self._lock is not None:
            # Whoever asks this state for the machine that runs shall find none.
            self.settings.environment_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def wait(self) -> None:
        """Return when :meth:`stop` was called or Ctrl-C came; :class:`EngineError` if an engine has died."""
        while not self._stopping.wait(1):
            for engine in self._running:
                if not engine.alive():
                    raise EngineError(f"{engine.name} has died:\n{engine.log_end()}")

    def __enter__(self) -> Machine:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def engine(self, name: str) -> Engine:
        """A running engine by its name."""
        for engine in self._running:
            if engine.name == name:
                return engine
        raise EngineError(f"{name} is not running; start the machine with `carbonmarket up`")

    def issue_gateway_certificate(self, gateway_id: str) -> Identity:
        """The X.509 identity of a gateway: paths of certificate, key and authority."""
        return self.broker.issue_gateway_certificate(gateway_id)

    def _start_engines(self) -> None:
        settings = self.settings
        # Functions wait for this run's settings: ports may differ from the last run's.
        settings.environment_file.unlink(missing_ok=True)
        self._run(self._localnet())
        self._run(dynamodb(settings.dynamodb_port, settings.state / "dynamodb", self._log("dynamodb")))
        self._run(ministack(settings.ministack_port, settings.state / "ministack", self._log("ministack")))
        self._run(router(settings, self._log("router")))
        self._run(self.broker)
        declared = declarations(settings.stage)
        self._step(
            "tables, buckets, queues, keys, sagas", lambda: deploy(declared, settings.stage, settings.aws_url)
        )
        environment: dict[str, str] = {}
        self._step("contracts and settings", lambda: environment.update(self._prepare(self).to_env()))
        _write_whole(settings.environment_file, json.dumps(environment, indent=1))
        self._run(
            RuleBridge(
                settings.state, settings.stage, settings.mqtt_port, settings.aws_url, self._log("rules")
            )
        )
        self._run(self._stripe())
        self._run(events(settings.stage, settings.aws_url, settings.state, self._log("events")))
        self._run(gateway(settings.gateway_port, settings.stage, environment, self._log("gateway")))

    def _localnet(self) -> Engine:
        settings = self.settings
        command: list[str | int | Path] = [sys.executable, "-m", "infra.local.chain"]
        command += ["--port", settings.localnet_port]
        command += ["--faucet-port", settings.faucet_port, "--state", settings.state / "chain.sqlite"]
        command += ["--chain-id", settings.chain_id]
        return Engine(
            "Aptos localnet",
            command,
            log=self._log("localnet"),
            port=settings.localnet_port,
            healthy=lambda: answers(settings.node_url),
        )

    def _stripe(self) -> Engine:
        settings = self.settings
        secrets = client("secretsmanager", settings.aws_url)
        shared = secrets.get_secret_value(SecretId=resource_name(settings.stage, "stripe-webhook"))
        return stripe_server(
            settings.stripe_port,
            settings.state / "stripe.sqlite",
            self._log("stripe"),
            webhook_url=f"{settings.gateway_url}/v1/webhooks/stripe",
            webhook_secret=shared["SecretString"],
        )

    def _run(self, engine: Engine) -> None:
        self._running.append(engine)
        self._step(engine.name, engine.start)

    def _step(self, name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        with self._console.status(f"{name} ..."):
            work()
        self._console.print(f"  [green]ready[/green] {name} [dim]{time.monotonic() - began:.1f} s[/dim]")

    def _log(self, name: str) -> Path:
        return self.settings.state / "logs" / f"{name}.log"

    def _take_state(self) -> None:
        self.settings.state.mkdir(parents=True, exist_ok=True)
        self._lock = (self.settings.state / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise EngineError(
                f"another machine runs on the state in {self.settings.state}; stop it, or give another folder"
            ) from None


def _write_whole(path: Path, text: str) -> None:
    # Functions read it at any time and must never meet half of it.
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
