"""The one list of what the market consists of: AWS (by CDK) and one machine are both built from it.

A name here is short (``registry``); the resource is called ``carbonmarket-<stage>-<name>`` everywhere.
Grants say the least a function needs; on AWS they become its policy.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parent.parent

Kind = Literal[
    "table",
    "bucket",
    "queue",
    "key",
    "custody",
    "secret",
    "state_machine",
    "function",
    "device_registry",
]
Access = Literal[
    "read",
    "scan",
    "readwrite",
    "append",
    "send",
    "sign",
    "create",
    "crypt",
    "decrypt",
    "start",
    "respond",
    "invoke",
]


class DeclarationError(Exception):
    """A declaration names something that is not there, or says it in a form that is not understood."""


@dataclass(frozen=True)
class Grant:
    """What a function may do to one resource.

    ``append`` is put without update or delete (audit, locked objects); ``respond`` answers task tokens
    of a state machine; ``crypt`` makes and opens data keys, ``decrypt`` only opens them. Kind ``custody``
    are the signing keys made at run time whose ids begin with ``name``; ``device_registry`` is who signs
    gateways' certificates.
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
    """A secret that is made once from ``random_bytes`` random bytes (stored as hex) and read by functions."""

    name: str
    random_bytes: int = 32


@dataclass(frozen=True)
class Function:
    """A Lambda function. ``handler`` is the import path from the repository's root.

    ``concurrency`` is the reserved concurrency on AWS and the most worker processes on one machine.
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


def resource_name(stage: str, name: str) -> str:
    """``carbonmarket-<stage>-<name>``."""
    return f"carbonmarket-{stage}-{name}"


def read(name: str, kind: Kind = "table") -> Grant:
    """A grant to read."""
    return Grant(kind, name, "read")


def change(name: str, kind: Kind = "table") -> Grant:
    """A grant to read and write."""
    return Grant(kind, name, "readwrite")


def append(name: str, kind: Kind = "table") -> Grant:
    """A grant to put what is never changed again."""
    return Grant(kind, name, "append")


def _sends_as(*keys: str) -> tuple[Grant, ...]:
    """What sending a call takes: leases and stored bytes, the sender's key, and the sponsor's for the fee.

    Asking for a call's fate takes the same: the account's number of a call that died is filled by another.
    """
    signers = (*keys, "sponsor")
    return (change("signing"), *(Grant("key", key, "sign") for key in signers))


_AUDITED = (append("audit"), change("idempotency"))
_PERSONAL = (change("subject_keys"), Grant("key", "subjects", "crypt"))
# Organisations' accounts: a key each, named by the organisation's id.
_CUSTODY_PREFIX = "ORG"
_FOR_ORGANISATIONS = (*_sends_as(), Grant("custody", _CUSTODY_PREFIX, "sign"))
_NOTIFY = Grant("queue", "notifications", "send")
_SALT = Grant("secret", "evidence-salt", "read")

TABLES = tuple(
    Table(name)
    for name in (
        "registry",
        "devices",
        "chain",
        "signing",
        "sagas",
        "accounts",
        "audit",
        "subject_keys",
        "idempotency",
    )
)

QUEUES = (
    Queue("readings-dlq"),
    Queue("readings", dlq="readings-dlq", visibility_seconds=360, receives_max=5),
    Queue("notifications-dlq"),
    Queue("notifications", dlq="notifications-dlq"),
    Queue("schedules-dlq"),
)

BUCKETS = (
    Bucket("documents", object_lock=True),
    Bucket("evidence", object_lock=True),
    Bucket("certificates", object_lock=True),
)

KEYS = (
    Key("platform", "sign-ed25519"),
    Key("issuer", "sign-ed25519"),
    Key("oracle", "sign-ed25519"),
    Key("sponsor", "sign-ed25519"),
    Key("subjects", "encrypt"),
)

SECRETS = (Secret("evidence-salt"),)

FUNCTIONS = (
    Function(
        "ingest-readings",
        "functions.ingest_readings.handler.handler",
        (change("devices"), append("evidence", "bucket"), Grant("queue", "readings", "read"), _SALT),
        memory_mb=1024,
        timeout_seconds=60,
        concurrency=1,
    ),
    Function(
        "anchor-readings",
        "functions.anchor_readings.handler.handler",
        (
            change("devices"),
            read("registry"),
            read("chain"),
            change("evidence", "bucket"),
            *_sends_as("oracle"),
            _SALT,
        ),
        memory_mb=1024,
        timeout_seconds=300,
        concurrency=1,
    ),
    Function(
        "watch-chain",
        "functions.watch_chain.handler.handler",
        (change("chain"), change("signing")),
        timeout_seconds=60,
        concurrency=1,
    ),
    Function(
        "reconcile",
        "functions.reconcile.handler.handler",
        (change("chain"), Grant("table", "chain", "scan")),
        timeout_seconds=300,
        concurrency=1,
    ),
)


def _step(saga: str, step: str, *grants: Grant, timeout_seconds: int = 30) -> Function:
    return Function(
        f"{saga}-{step.replace('_', '-')}",
        f"functions.{saga}.steps.{step}",
        (change("sagas"), append("audit"), *grants),
        timeout_seconds=timeout_seconds,
        concurrency=1,
    )


_MINT = StateMachine(
    "mint",
    (
        _step(
            "mint",
            "quantify",
            change("registry"),
            change("devices"),
            read("chain"),
            read("accounts"),
            change("evidence", "bucket"),
            *_sends_as("oracle"),
            _SALT,
            timeout_seconds=120,
        ),
        # Votes that are there already, when an execution is run again, end its wait at once.
        _step(
            "mint",
            "review",
            change("registry"),
            read("accounts"),
            _NOTIFY,
            Grant("state_machine", "mint", "respond"),
        ),
        _step(
            "mint",
            "mint",
            change("registry"),
            read("accounts"),
            read("chain"),
            read("evidence", "bucket"),
            *_sends_as("issuer"),
        ),
        _step("mint", "await_finality", change("registry"), read("chain"), *_sends_as("issuer")),
        _step("mint", "register", change("registry"), read("accounts"), read("chain"), *_sends_as("issuer")),
        _step("mint", "notify", change("registry"), read("accounts"), _NOTIFY),
        _step(
            "mint",
            "reject_period",
            change("registry"),
            read("accounts"),
            read("chain"),
            *_sends_as("issuer", "oracle"),
            _NOTIFY,
        ),
    ),
)

_RETIRE = StateMachine(
    "retire",
    (
        _step("retire", "check_holding", change("registry"), read("accounts")),
        _step(
            "retire",
            "retire",
            change("registry"),
            read("accounts"),
            *_FOR_ORGANISATIONS,
        ),
        # A transaction that died leaves a number, which its sender fills with another.
        _step(
            "retire",
            "await_finality",
            change("registry"),
            read("chain"),
            *_FOR_ORGANISATIONS,
        ),
        _step(
            "retire",
            "render",
            change("registry"),
            read("devices"),
            read("accounts"),
            change("signing"),
            read("evidence", "bucket"),
            read("certificates", "bucket"),
            append("certificates", "bucket"),
            Grant("key", "platform", "sign"),
            _SALT,
            timeout_seconds=120,
        ),
        _step("retire", "notify", change("registry"), read("accounts"), _NOTIFY),
        _step("retire", "fail_retirement", change("registry"), *_FOR_ORGANISATIONS, _NOTIFY),
    ),
)

STATE_MACHINES = (_MINT, _RETIRE)

HTTP_APPS = (
    HttpApp(
        "api-registry",
        "functions.api_registry.app",
        (
            change("registry"),
            change("accounts"),
            change("devices"),
            change("sagas"),
            read("chain"),
            change("documents", "bucket"),
            read("evidence", "bucket"),
            *_AUDITED,
            *_sends_as("issuer"),
            Grant("custody", _CUSTODY_PREFIX, "create"),
            Grant("device_registry", "gateway", "create"),
            Grant("state_machine", "mint", "start"),
            Grant("state_machine", "mint", "respond"),
        ),
    ),
    HttpApp(
        "api-readings",
        "functions.api_readings.app",
        (
            change("devices"),
            read("registry"),
            read("accounts"),
            read("chain"),
            change("evidence", "bucket"),
            *_AUDITED,
            _SALT,
            Grant("function", "anchor-readings", "invoke"),
        ),
    ),
    HttpApp(
        "api-credits",
        "functions.api_credits.app",
        (
            change("registry"),
            read("accounts"),
            read("chain"),
            *_AUDITED,
            *_PERSONAL,
            *_FOR_ORGANISATIONS,
            Grant("state_machine", "retire", "start"),
        ),
    ),
    HttpApp(
        "api-public",
        "functions.api_public.app",
        (
            read("registry"),
            read("chain"),
            read("certificates", "bucket"),
            Grant("key", "platform", "read"),
            # A beneficiary's name, where it is shown by consent.
            read("subject_keys"),
            Grant("key", "subjects", "decrypt"),
        ),
    ),
)

QUEUE_SOURCES = (QueueSource("readings", "ingest-readings", batch_size=10, window_seconds=1),)

SCHEDULES = (
    Schedule("anchor-readings", "rate(1 hour)", "anchor-readings"),
    Schedule("watch-chain", "rate(1 minute)", "watch-chain"),
    Schedule("reconcile", "cron(15 3 * * ? *)", "reconcile"),
)


def read_rules(folder: Path, stage: str) -> tuple[TopicRule, ...]:
    """The rules of a folder, ``${stage}`` replaced in their SQL; one file is one rule, named by its stem."""
    rules = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        try:
            rules.append(_rule(path.stem, document, stage))
        except (KeyError, IndexError, TypeError) as error:
            raise DeclarationError(f"{path.name} is no rule: it lacks {error}") from None
    return tuple(rules)


def _rule(name: str, document: dict[str, Any], stage: str) -> TopicRule:
    (action,) = document["actions"]
    return TopicRule(
        name=name,
        sql=document["sql"].replace("${stage}", stage),
        queue=action["sqs"]["queue"],
        error_queue=document["errorAction"]["sqs"]["queue"] if "errorAction" in document else "",
        description=document.get("description", ""),
        sql_version=document.get("awsIotSqlVersion", "2016-03-23"),
    )


def declarations(stage: str) -> Declarations:
    """Everything of one stage; only the rules' topics differ between stages."""
    return Declarations(
        tables=TABLES,
        queues=QUEUES,
        buckets=BUCKETS,
        keys=KEYS,
        secrets=SECRETS,
        functions=FUNCTIONS,
        http_apps=HTTP_APPS,
        queue_sources=QUEUE_SOURCES,
        schedules=SCHEDULES,
        state_machines=STATE_MACHINES,
        rules=read_rules(ROOT / "iot_rules", stage),
    )
