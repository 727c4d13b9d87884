"""The one list of what the market consists of: AWS (by CDK) and one machine are both built from it.

A name here is short (``registry``); the resource is called ``carbonmarket-<stage>-<name>`` everywhere.
Grants say the least a function needs; on AWS they become its policy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infra.grants import (
    AUDITED,
    CUSTODY,
    FOR_ORGANISATIONS,
    NOTIFY,
    PERSONAL,
    SALT,
    TASKS,
    append,
    change,
    read,
    sends_as,
    step,
)
from infra.market_declarations import MARKET_APPS, RECONCILE_MONEY, RETRY_PAYOUTS, SETTLE_TRADE, WORK_BOOKS
from infra.resources import (
    ROOT,
    Access,
    Bucket,
    DeclarationError,
    Declarations,
    Function,
    Grant,
    HttpApp,
    Key,
    Kind,
    Queue,
    QueueSource,
    Schedule,
    Secret,
    StateMachine,
    Table,
    TopicRule,
    resource_name,
)

__all__ = [
    "ROOT",
    "Access",
    "Bucket",
    "DeclarationError",
    "Declarations",
    "Function",
    "Grant",
    "HttpApp",
    "Key",
    "Kind",
    "Queue",
    "QueueSource",
    "Schedule",
    "Secret",
    "StateMachine",
    "Table",
    "TopicRule",
    "declarations",
    "read_rules",
    "resource_name",
]


TABLES = tuple(
    Table(name)
    for name in (
        "registry",
        "devices",
        "chain",
        "ledger",
        "signing",
        "sagas",
        "accounts",
        "audit",
        "subject_keys",
        CUSTODY,
        "idempotency",
        "market",
        "purchases",
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
    # As long as a certificate is locked that rests on it.
    Bucket("evidence", object_lock=True, retention_days=3_653),
    Bucket("certificates", object_lock=True),
)

KEYS = (
    Key("platform", "sign-ed25519"),
    Key("issuer", "sign-ed25519"),
    Key("oracle", "sign-ed25519"),
    Key("sponsor", "sign-ed25519"),
    Key("treasury", "sign-ed25519"),
    Key("subjects", "encrypt"),
    Key(CUSTODY, "encrypt"),
)

SECRETS = (
    Secret("evidence-salt"),
    Secret("stripe-secret", given_by="Stripe", prefix="sk_test_"),
    Secret("stripe-webhook", given_by="Stripe", prefix="whsec_"),
)

FUNCTIONS = (
    Function(
        "ingest-readings",
        "functions.ingest_readings.handler.handler",
        (change("devices"), append("evidence", "bucket"), Grant("queue", "readings", "read"), SALT),
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
            *sends_as("oracle"),
            SALT,
        ),
        memory_mb=1024,
        timeout_seconds=300,
        concurrency=1,
    ),
    Function(
        "watch-chain",
        "functions.watch_chain.handler.handler",
        # Clearing a projection whose chain was replaced takes a scan.
        (change("chain"), Grant("table", "chain", "scan"), change("signing")),
        # Longer than the minute after which the next one is started, which waits for this one's lease.
        timeout_seconds=75,
        concurrency=2,
    ),
    Function(
        "reconcile",
        "functions.reconcile.handler.handler",
        (change("chain"), Grant("table", "chain", "scan")),
        # The table is read as a whole: the most that Lambda gives.
        timeout_seconds=900,
        concurrency=1,
    ),
    RECONCILE_MONEY,
    RETRY_PAYOUTS,
    WORK_BOOKS,
    Function(
        "rate-parties",
        "functions.rate_parties.handler.handler",
        (
            read("accounts"),
            read("registry"),
            read("devices"),
            read("chain"),
            read("purchases"),
            change("market"),
            change("evidence", "bucket"),
            Grant("key", "treasury", "read"),
            *sends_as("oracle"),
        ),
        timeout_seconds=900,
        concurrency=1,
    ),
)


_MINT = StateMachine(
    "mint",
    (
        step(
            "mint",
            "quantify",
            change("registry"),
            change("devices"),
            change("evidence", "bucket"),
            *sends_as("oracle"),
            SALT,
            timeout_seconds=120,
        ),
        # Votes that are there already, when an execution is run again, end its wait at once.
        step(
            "mint",
            "review",
            change("registry"),
            read("accounts"),
            TASKS,
            NOTIFY,
            Grant("state_machine", "mint", "respond"),
        ),
        step("mint", "mint", change("registry"), *sends_as("issuer")),
        step("mint", "await_finality", change("registry"), *sends_as("issuer")),
        step("mint", "register", change("registry"), *sends_as("issuer")),
        step("mint", "notify", change("registry"), NOTIFY),
        step("mint", "reject_period", change("registry"), *sends_as("issuer", "oracle"), NOTIFY),
    ),
)

_RETIRE = StateMachine(
    "retire",
    (
        step("retire", "check_holding", change("registry"), read("accounts")),
        step("retire", "retire", change("registry"), read("accounts"), *FOR_ORGANISATIONS),
        # A transaction that died leaves a number, which its sender fills with another.
        step("retire", "await_finality", change("registry"), *FOR_ORGANISATIONS),
        step(
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
            SALT,
            timeout_seconds=120,
        ),
        step("retire", "notify", change("registry"), NOTIFY),
        step("retire", "fail_retirement", change("registry"), *FOR_ORGANISATIONS, NOTIFY),
    ),
)

STATE_MACHINES = (_MINT, _RETIRE, SETTLE_TRADE)

HTTP_APPS = (
    HttpApp(
        "api-registry",
        "functions.api_registry.app",
        (
            change("registry"),
            change("accounts"),
            change("devices"),
            TASKS,
            read("chain"),
            change("documents", "bucket"),
            read("evidence", "bucket"),
            *AUDITED,
            *sends_as("issuer"),
            Grant("custody", CUSTODY, "create"),
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
            *AUDITED,
            SALT,
        ),
    ),
    HttpApp(
        "api-credits",
        "functions.api_credits.app",
        (
            change("registry"),
            read("accounts"),
            read("chain"),
            *AUDITED,
            *PERSONAL,
            *FOR_ORGANISATIONS,
            Grant("state_machine", "retire", "start"),
        ),
    ),
    *MARKET_APPS,
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

# A batch of 25 messages is some 80 items of the one transaction that takes it; DynamoDB allows 100.
QUEUE_SOURCES = (QueueSource("readings", "ingest-readings", batch_size=25, window_seconds=1),)

SCHEDULES = (
    Schedule("anchor-readings", "rate(1 hour)", "anchor-readings"),
    Schedule("watch-chain", "rate(1 minute)", "watch-chain"),
    Schedule("work-books", "rate(1 minute)", "work-books"),
    Schedule("rate-parties", "rate(1 hour)", "rate-parties"),
    Schedule("retry-payouts", "rate(1 hour)", "retry-payouts"),
    Schedule("reconcile", "cron(15 3 * * ? *)", "reconcile"),
    Schedule("reconcile-money", "cron(25 3 * * ? *)", "reconcile-money"),
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
