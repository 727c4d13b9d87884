"""The machine and the template are the same market: nothing is in one that is not in the other."""

from __future__ import annotations

import json

import pytest

from infra.constructs.routes import chalice_app
from infra.declarations import declarations
from infra.local.engines.gateway.app import AppGateway
from infra.local.engines.mqtt import rules as local_rules
from tests.fixtures.machine import AwsEndpoint
from tests.infra.conftest import STAGE, Synthesised

pytestmark = pytest.mark.engines


def short(aws: AwsEndpoint, names: list[str]) -> set[str]:
    """Short names of the machine's resources."""
    return {name.removeprefix(aws.name("")) for name in names if name.startswith(aws.name(""))}


def test_tables(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    made = short(aws, aws.client("dynamodb").list_tables()["TableNames"])
    assert made == synthesised.names("AWS::DynamoDB::GlobalTable", "TableName")


def test_a_table_has_the_same_keys_and_indexes(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    dynamodb = aws.client("dynamodb")
    for table in synthesised.all("AWS::DynamoDB::GlobalTable"):
        properties = table.properties
        name = properties["TableName"].replace(f"-{STAGE}-", f"-{aws.stage}-")
        made = dynamodb.describe_table(TableName=name)["Table"]
        assert made["KeySchema"] == properties["KeySchema"]
        (here,), (there,) = made["GlobalSecondaryIndexes"], properties["GlobalSecondaryIndexes"]
        for field in ("IndexName", "KeySchema", "Projection"):
            assert here[field] == there[field]


def test_queues(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    urls = aws.client("sqs").list_queues()["QueueUrls"]
    made = short(aws, [url.rpartition("/")[2] for url in urls])
    assert made == synthesised.names("AWS::SQS::Queue", "QueueName")


def test_a_queue_gives_up_a_message_after_as_many_attempts(
    synthesised: Synthesised, aws: AwsEndpoint
) -> None:
    sqs = aws.client("sqs")
    for queue in synthesised.all("AWS::SQS::Queue"):
        name = queue.properties["QueueName"].replace(f"-{STAGE}-", f"-{aws.stage}-")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        made = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        there = queue.properties.get("RedrivePolicy", {}).get("maxReceiveCount")
        here = json.loads(made.get("RedrivePolicy", "{}")).get("maxReceiveCount")
        assert here == (None if there is None else str(there))
        assert made["VisibilityTimeout"] == str(queue.properties["VisibilityTimeout"])


def test_buckets(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    made = short(aws, [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]])
    # On AWS one more bucket takes the logs of access to these.
    assert made | {"access-logs"} == synthesised.names("AWS::S3::Bucket", "BucketName")


def test_sagas(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    made = short(aws, [machine["name"] for machine in machines])
    assert made == synthesised.names("AWS::StepFunctions::StateMachine", "StateMachineName")


def test_keys(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    aliases = [alias["AliasName"] for alias in aws.client("kms").list_aliases()["Aliases"]]
    made = short(aws, [alias.removeprefix("alias/") for alias in aliases])
    there = {
        alias.properties["AliasName"].removeprefix(f"alias/carbonmarket-{STAGE}-")
        for alias in synthesised.all("AWS::KMS::Alias")
    }
    # On AWS one more key encrypts what is stored; others of this endpoint's keys are its tests'.
    assert there - {"storage"} <= made


def test_routes(synthesised: Synthesised) -> None:
    apps = [
        AppGateway(chalice_app(app), app.name, app.timeout_seconds) for app in declarations(STAGE).http_apps
    ]
    served = {(path, method) for app in apps for path, methods in app.routes.items() for method in methods}
    assert served == set(synthesised.methods())


def test_rules_mean_the_same_to_both(synthesised: Synthesised) -> None:
    for rule in synthesised.all("AWS::IoT::TopicRule"):
        parsed = local_rules.parse(rule.properties["TopicRulePayload"]["Sql"])
        assert parsed.matches(f"carbonmarket/{STAGE}/gateways/GW000000000001/messages")
