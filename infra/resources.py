"""The kinds of resources that declarations are made of, free of AWS and of this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent

Kind = Literal[
    "table",
    "bucket",
    "queue",
    "key",
    "custody",
    "secret",
    "state_machine",
    "device_registry",
]
Access = Literal[
    "read",
    "scan",
    "readwrite",
    "append",
    "erase",
    "send",
    "sign",
    "create",
    "crypt",
    "decrypt",
    "start",
    "respond",
]


class DeclarationError(Exception):
    """A declaration names something that is not there, or says it in a form that is not understood."""


@dataclass(frozen=True)
class Grant:
    """What a function may do to one resource.

    ``append`` is put without update or delete (audit, locked objects), ``erase`` is delete and nothing else;
    ``respond`` answers task tokens of a state machine; ``crypt`` makes and opens data keys, ``decrypt`` only
    opens them. Kind ``custody`` is the table and the KMS key of that name which keep organisations' sealed
    keys: ``create`` adds one, ``sign`` opens them. ``device_registry`` is who signs gateways' certificates.
    """

    kind: Kind
    name: str
    access: Access


@dataclass(frozen=True)
class Table:
    """A DynamoDB table with string keys ``pk``/``sk`` and the index ``gsi1`` over ``gsi1pk``/``gsi1sk``."""

    name: str
    ttl_attribute: str = "expires_at"
    stream: Literal["", "NEW_AND_OLD_IMAGES", "NEW_IMAGE", "KEYS_ONLY"] = ""


@dataclass(frozen=True)
class Queue:
    """An SQS queue. A message received ``receives_max`` times goes to the dead-letter queue ``dlq``."""

    name: str
    dlq: str = ""
    visibility_seconds: int = 30
    receives_max: int = 5
    retention_days: int = 14


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket, private, versioned where locked. ``retention_days`` is the lock's default in
    GOVERNANCE mode; 0 leaves retention to who puts the object."""

    name: str
    object_lock: bool = False
    retention_days: int = 0


@dataclass(frozen=True)
class Key:
    """A KMS key, found by the alias ``alias/carbonmarket-<stage>-<name>``."""

    name: str
    use: Literal["sign-ed25519", "encrypt"]


@dataclass(frozen=True)
class Secret:
    """A secret that is made once from ``random_bytes`` random bytes (stored as hex) and read by functions.

    One that ``given_by`` somebody is random only until an operator puts the given one in its place; on one
    machine, which makes both sides' secrets itself, it begins with ``prefix``.
    """

    name: str
    random_bytes: int = 32
    given_by: str = ""
    prefix: str = ""


@dataclass(frozen=True)
class Function:
    """A Lambda function. ``handler`` is the import path from the repository's root.

    ``concurrency`` is the most worker processes on one machine, and on AWS the reserved concurrency of what
    is no step of a saga: steps share what the account has unreserved, so that no burst is throttled at one.
    """

    name: str
    handler: str
    grants: tuple[Grant, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = 30
    concurrency: int = 2


@dataclass(frozen=True)
class HttpApp:
    """A Chalice app behind the API; its routes are declared in the app itself."""

    name: str
    module: str
    grants: tuple[Grant, ...] = ()
    attribute: str = "app"
    memory_mb: int = 512
    timeout_seconds: int = 29


@dataclass(frozen=True)
class QueueSource:
    """Messages of a queue invoke a function, in batches, with partial failures reported."""

    queue: str
    function: str
    batch_size: int = 10
    window_seconds: int = 1


@dataclass(frozen=True)
class Schedule:
    """A function invoked by the clock; ``expression`` as EventBridge Scheduler's, in UTC."""

    name: str
    expression: str
    function: str


@dataclass(frozen=True)
class StateMachine:
    """A saga. Each step is a function ``<name>-<step>``; the ASL names it ``${step}``."""

    name: str
    steps: tuple[Function, ...]

    @property
    def path(self) -> Path:
        """Where its Amazon States Language stands."""
        return ROOT / "statemachines" / f"{self.name}.asl.json"

    def placeholders(self) -> dict[str, str]:
        """``await_finality`` → ``mint-await-finality``: the name in the ASL and the function's."""
        return {step.handler.rsplit(".", 1)[1]: step.name for step in self.steps}

    def definition(self, arn_of: dict[str, str]) -> str:
        """The ASL with every ``${step}`` replaced; ``arn_of`` maps function names to ARNs."""
        names = self.placeholders()

        def replace(match: re.Match[str]) -> str:
            if match[1] not in names:
                raise DeclarationError(
                    f"{self.path.name} names ${{{match[1]}}}, which is no step of {self.name}"
                )
            return arn_of[names[match[1]]]

        return re.sub(r"\$\{(\w+)\}", replace, self.path.read_text())


@dataclass(frozen=True)
class TopicRule:
    """One file of ``iot_rules/``: a rule of AWS IoT's SQL and where its results go."""

    name: str
    sql: str
    queue: str
    error_queue: str = ""
    description: str = ""
    sql_version: str = "2016-03-23"


@dataclass(frozen=True)
class Declarations:
    """Everything, by kind."""

    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buckets: tuple[Bucket, ...]
    keys: tuple[Key, ...]
    secrets: tuple[Secret, ...]
    functions: tuple[Function, ...]
    http_apps: tuple[HttpApp, ...]
    queue_sources: tuple[QueueSource, ...]
    schedules: tuple[Schedule, ...]
    state_machines: tuple[StateMachine, ...]
    rules: tuple[TopicRule, ...] = field(default=())

    def all_functions(self) -> tuple[Function, ...]:
        """The functions, the sagas' steps included."""
        return self.functions + tuple(step for machine in self.state_machines for step in machine.steps)

    def unfed(self) -> tuple[QueueSource, ...]:
        """Sources that stay empty: neither a rule nor a function or app sends to their queue."""
        fed = {rule.queue for rule in self.rules}
        senders: tuple[Function | HttpApp, ...] = (*self.all_functions(), *self.http_apps)
        for sender in senders:
            fed |= {grant.name for grant in sender.grants if (grant.kind, grant.access) == ("queue", "send")}
        return tuple(source for source in self.queue_sources if source.queue not in fed)


def resource_name(stage: str, name: str) -> str:
    """``carbonmarket-<stage>-<name>``."""
    return f"carbonmarket-{stage}-{name}"
