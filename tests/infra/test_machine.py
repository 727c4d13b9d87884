"""The machine and the template are the same market: nothing is in one that is not in the other."""

from __future__ import annotations

import json
import re

import pytest

from infra.constructs.routes import chalice_app
from infra.declarations import ROOT, declarations, read_rules
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


def test_functions(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    there = synthesised.names("AWS::Lambda::Function", "FunctionName")
    apps = {app.name for app in declarations(aws.stage).http_apps}
    assert apps < there
    assert {name for name in there - apps if runs(aws, name)} == there - apps
    assert {function.name for function in declarations(aws.stage).all_functions()} == there - apps
    assert not runs(aws, "no-such-function")


def runs(aws: AwsEndpoint, name: str) -> bool:
    """Whether the machine's Lambda would run a function of that name."""
    lambdas = aws.client("lambda")
    try:
        lambdas.invoke(FunctionName=aws.name(name), InvocationType="DryRun")
    except lambdas.exceptions.ResourceNotFoundException:
        return False
    return True


def test_sagas(synthesised: Synthesised, aws: AwsEndpoint) -> None:
    machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
    made = short(aws, [machine["name"] for machine in machines])
    assert made == synthesised.names("AWS::StepFunctions::StateMachine", "StateMachineName")


def test_a_saga_has_the_same_states_and_calls_the_same_functions(
    synthesised: Synthesised, aws: AwsEndpoint
) -> None:
    states = aws.client("stepfunctions")
    made = {
        machine["name"].removeprefix(aws.name("")): states.describe_state_machine(
            stateMachineArn=machine["stateMachineArn"]
        )["definition"]
        for machine in states.list_state_machines()["stateMachines"]
    }
    for saga in synthesised.all("AWS::StepFunctions::StateMachine"):
        there = saga.properties["DefinitionString"]
        for step, arn in saga.properties["DefinitionSubstitutions"].items():
            function = synthesised.short(arn, saga.key[0], "FunctionName")
            there = there.replace(f"${{{step}}}", aws.name(function))
        name = saga.properties["StateMachineName"].removeprefix(f"carbonmarket-{STAGE}-")
        here = re.sub(r"arn:aws:lambda:[^:]*:[^:]*:function:", "", made[name])
        assert json.loads(here) == json.loads(there)


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
    here = {
        rule.name: (rule.sql, rule.queue, rule.error_queue) for rule in read_rules(ROOT / "iot_rules", STAGE)
    }
    there = {}
    for rule in synthesised.all("AWS::IoT::TopicRule"):
        told, stack = rule.properties["TopicRulePayload"], rule.key[0]
        (action,) = told["Actions"]
        there[rule.properties["RuleName"].removeprefix(f"carbonmarket_{STAGE}_")] = (
            told["Sql"],
            synthesised.short(action["Sqs"]["QueueUrl"], stack, "QueueName"),
            synthesised.short(told["ErrorAction"]["Sqs"]["QueueUrl"], stack, "QueueName"),
        )
        parsed = local_rules.parse(told["Sql"])
        assert parsed.matches(f"carbonmarket/{STAGE}/gateways/GW000000000001/messages")
    assert here == there
