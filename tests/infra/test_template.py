"""The template holds what the declarations say: nothing less, nothing more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from carbonmarket.records.principal import ROLES
from carbonmarket_adapters.certificates_store import LOCKED_DAYS
from carbonmarket_adapters.http.api import CORS_HEADERS
from infra.constructs.routes import routes
from infra.declarations import ROOT, declarations, resource_name
from infra.stacks.functions import as_function
from tests.infra.conftest import STAGE, Synthesised

DECLARED = declarations(STAGE)
FUNCTIONS = {
    function.name: function for function in (*DECLARED.all_functions(), *map(as_function, DECLARED.http_apps))
}


def arn_names(value: Any) -> str:
    """An ARN or a join as one text, references as {name}."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(map(arn_names, parts))
    return "{" + str(next(iter(value.values()))) + "}"


def test_tables_are_those_declared(synthesised: Synthesised) -> None:
    assert synthesised.names("AWS::DynamoDB::GlobalTable", "TableName") == {
        table.name for table in DECLARED.tables
    }


def test_every_table_has_the_keys_the_index_and_the_expiry_that_the_adapters_use(
    synthesised: Synthesised,
) -> None:
    for table in synthesised.all("AWS::DynamoDB::GlobalTable"):
        properties = table.properties
        assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]
        (index,) = properties["GlobalSecondaryIndexes"]
        assert index["IndexName"] == "gsi1"
        assert [key["AttributeName"] for key in index["KeySchema"]] == ["gsi1pk", "gsi1sk"]
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_queues_are_those_declared_with_their_dead_letters(synthesised: Synthesised) -> None:
    found = {}
    for queue in synthesised.all("AWS::SQS::Queue"):
        redrive = queue.properties.get("RedrivePolicy")
        dlq = synthesised.short(redrive["deadLetterTargetArn"], queue.key[0], "QueueName") if redrive else ""
        name = queue.properties["QueueName"].removeprefix(resource_name(STAGE, ""))
        found[name] = (dlq, queue.properties["VisibilityTimeout"])
    assert found == {queue.name: (queue.dlq, queue.visibility_seconds) for queue in DECLARED.queues}


def test_buckets_are_those_declared_and_locked_where_declared(synthesised: Synthesised) -> None:
    found = {}
    for bucket in synthesised.all("AWS::S3::Bucket"):
        rule = bucket.properties.get("ObjectLockConfiguration", {}).get("Rule", {})
        days = rule.get("DefaultRetention", {}).get("Days", 0)
        found[bucket.properties["BucketName"]] = (bucket.properties.get("ObjectLockEnabled", False), days)
    declared = {
        resource_name(STAGE, bucket.name): (bucket.object_lock, bucket.retention_days)
        for bucket in DECLARED.buckets
    }
    assert found == {**declared, resource_name(STAGE, "access-logs"): (False, 0)}


def test_nobody_removes_what_an_anchor_commits_to_before_its_certificates_may_go() -> None:
    (evidence,) = (bucket for bucket in DECLARED.buckets if bucket.name == "evidence")
    assert evidence.retention_days >= LOCKED_DAYS


def test_signing_keys_are_ed25519_keys_under_the_aliases_that_the_signer_asks_for(
    synthesised: Synthesised,
) -> None:
    found = {}
    for alias in synthesised.all("AWS::KMS::Alias"):
        key = synthesised.at(synthesised.target(alias.properties["TargetKeyId"], alias.key[0]))
        found[alias.properties["AliasName"]] = key.properties.get("KeySpec", "SYMMETRIC_DEFAULT")
    specs = {"sign-ed25519": "ECC_NIST_EDWARDS25519", "encrypt": "SYMMETRIC_DEFAULT"}
    for key in DECLARED.keys:
        assert found[f"alias/{resource_name(STAGE, key.name)}"] == specs[key.use]


def test_secrets_are_those_declared(synthesised: Synthesised) -> None:
    assert synthesised.names("AWS::SecretsManager::Secret", "Name") == {
        secret.name for secret in DECLARED.secrets
    }


def test_functions_are_those_declared(synthesised: Synthesised) -> None:
    found = {
        function.properties["FunctionName"].removeprefix(resource_name(STAGE, "")): (
            function.properties["Handler"],
            function.properties["MemorySize"],
            function.properties["Timeout"],
        )
        for function in synthesised.all("AWS::Lambda::Function")
    }
    assert found == {
        name: (declared.handler, declared.memory_mb, declared.timeout_seconds)
        for name, declared in FUNCTIONS.items()
    }


def test_no_step_of_a_saga_has_a_reservation_that_a_burst_is_throttled_at(
    synthesised: Synthesised,
) -> None:
    steps = {step.name for machine in DECLARED.state_machines for step in machine.steps}
    fed = {source.function for source in DECLARED.queue_sources}
    reserved = {
        function.properties["FunctionName"].removeprefix(resource_name(STAGE, ""))
        for function in synthesised.all("AWS::Lambda::Function")
        if "ReservedConcurrentExecutions" in function.properties
    }
    assert reserved == {function.name for function in DECLARED.all_functions()} - steps - fed


def test_every_function_runs_python_313_on_arm64_and_is_traced(synthesised: Synthesised) -> None:
    for function in synthesised.all("AWS::Lambda::Function"):
        assert function.properties["Runtime"] == "python3.13"
        assert function.properties["Architectures"] == ["arm64"]
        assert function.properties["TracingConfig"] == {"Mode": "Active"}
        assert len(function.properties["Layers"]) == 3


def test_an_asset_holds_its_own_entry_point_at_its_import_path_and_no_other(
    synthesised: Synthesised,
) -> None:
    for function in synthesised.all("AWS::Lambda::Function"):
        asset = "asset." + function.properties["Code"]["S3Key"].removesuffix(".zip")
        room, entry_point = function.properties["Handler"].split(".")[:2]
        assert _files(synthesised.folder / asset) == {
            f"{room}/{entry_point}/{path}" for path in _files(ROOT / room / entry_point)
        }


def _files(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


def test_functions_are_told_the_settings_and_nothing_that_lambda_refuses(synthesised: Synthesised) -> None:
    for function in synthesised.all("AWS::Lambda::Function"):
        told = function.properties["Environment"]["Variables"]
        assert told["CARBONMARKET_STAGE"] == STAGE
        assert told["CARBONMARKET_AUTHORIZER"] == "cognito"
        assert told["CARBONMARKET_SIGNER"] == "kms"
        assert not told.keys() & {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"}


def test_the_watcher_begins_where_the_stage_says_that_the_contracts_do(synthesised: Synthesised) -> None:
    for function in synthesised.all("AWS::Lambda::Function"):
        told = function.properties["Environment"]["Variables"]["CARBONMARKET_FIRST_VERSION"]
        asked = synthesised.templates[function.key[0]]["Parameters"][told["Ref"]]
        assert asked["Default"] == f"/carbonmarket/{STAGE}/first-version"


def test_queue_sources_report_partial_failures(synthesised: Synthesised) -> None:
    found = set()
    for source in synthesised.all("AWS::Lambda::EventSourceMapping"):
        properties, stack = source.properties, source.key[0]
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        found.add(
            (
                synthesised.short(properties["EventSourceArn"], stack, "QueueName"),
                synthesised.short(properties["FunctionName"], stack, "FunctionName"),
                properties["BatchSize"],
                properties["MaximumBatchingWindowInSeconds"],
            )
        )
    assert found == {
        (source.queue, source.function, source.batch_size, source.window_seconds)
        for source in DECLARED.queue_sources
    }


def test_a_queue_hides_a_message_for_as_long_as_its_function_may_try(synthesised: Synthesised) -> None:
    visibility = {queue.name: queue.visibility_seconds for queue in DECLARED.queues}
    for source in DECLARED.queue_sources:
        assert visibility[source.queue] >= 6 * FUNCTIONS[source.function].timeout_seconds


def test_schedules_are_those_declared(synthesised: Synthesised) -> None:
    found = {
        (
            schedule.properties["Name"].removeprefix(resource_name(STAGE, "")),
            schedule.properties["ScheduleExpression"],
            synthesised.short(schedule.properties["Target"]["Arn"], schedule.key[0], "FunctionName"),
        )
        for schedule in synthesised.all("AWS::Scheduler::Schedule")
    }
    assert found == {
        (schedule.name, schedule.expression, schedule.function) for schedule in DECLARED.schedules
    }


def test_rules_are_those_of_the_files(synthesised: Synthesised) -> None:
    found = {}
    for rule in synthesised.all("AWS::IoT::TopicRule"):
        payload = rule.properties["TopicRulePayload"]
        (action,) = payload["Actions"]
        found[rule.properties["RuleName"]] = (
            payload["Sql"],
            payload["AwsIotSqlVersion"],
            synthesised.short(action["Sqs"]["QueueUrl"], rule.key[0], "QueueName"),
            synthesised.short(payload["ErrorAction"]["Sqs"]["QueueUrl"], rule.key[0], "QueueName"),
        )
    assert found == {
        f"carbonmarket_{STAGE}_{rule.name}": (rule.sql, rule.sql_version, rule.queue, rule.error_queue)
        for rule in DECLARED.rules
    }


def test_a_device_may_publish_to_its_own_topic_only(synthesised: Synthesised) -> None:
    (policy,) = synthesised.all("AWS::IoT::Policy")
    assert policy.properties["PolicyName"] == resource_name(STAGE, "gateway")
    publishing = [
        arn_names(statement["Resource"])
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Action"] == "iot:Publish"
    ]
    topic = f"topic/carbonmarket/{STAGE}/gateways/${{iot:Connection.Thing.ThingName}}/messages"
    assert [resource.rpartition(":topic/")[2] for resource in publishing] == [topic.removeprefix("topic/")]


def test_sagas_are_those_declared_and_every_placeholder_is_filled_with_its_step(
    synthesised: Synthesised,
) -> None:
    declared = {machine.name: machine for machine in DECLARED.state_machines}
    assert synthesised.names("AWS::StepFunctions::StateMachine", "StateMachineName") == set(declared)
    for saga in synthesised.all("AWS::StepFunctions::StateMachine"):
        machine = declared[saga.properties["StateMachineName"].removeprefix(resource_name(STAGE, ""))]
        definition = saga.properties["DefinitionString"]
        assert json.loads(definition) == json.loads(machine.path.read_text())
        filled = {
            step: synthesised.short(arn, saga.key[0], "FunctionName")
            for step, arn in saga.properties["DefinitionSubstitutions"].items()
        }
        assert set(re.findall(r"\$\{(\w+)\}", definition)) == set(filled)
        assert filled == machine.placeholders()


def test_a_saga_ends_is_traced_and_logs_no_data(synthesised: Synthesised) -> None:
    for saga in synthesised.all("AWS::StepFunctions::StateMachine"):
        assert json.loads(saga.properties["DefinitionString"])["TimeoutSeconds"] > 0
        assert saga.properties["TracingConfiguration"] == {"Enabled": True}
        logging = saga.properties["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)


@pytest.fixture(scope="module")
def methods(synthesised: Synthesised) -> dict[tuple[str, str], dict[str, Any]]:
    return synthesised.methods()


Methods = dict[tuple[str, str], dict[str, Any]]


def test_routes_are_those_of_the_apps(methods: Methods) -> None:
    assert set(methods) == {(route.path, route.method) for route in routes(DECLARED.http_apps)}


def test_a_route_calls_the_function_of_its_app(methods: Methods, synthesised: Synthesised) -> None:
    for route in routes(DECLARED.http_apps):
        parts = methods[route.path, route.method]["Integration"]["Uri"]["Fn::Join"][1]
        reference = next(part for part in parts if isinstance(part, dict) and "Fn::ImportValue" in part)
        stack = resource_name(STAGE, "api")
        assert synthesised.short(reference, stack, "FunctionName") == route.app


def test_only_public_operations_need_no_login(methods: Methods) -> None:
    for route in routes(DECLARED.http_apps):
        wanted = "NONE" if route.operation.public else "COGNITO_USER_POOLS"
        assert methods[route.path, route.method]["AuthorizationType"] == wanted, route.path


def test_every_write_asks_for_its_idempotency_key_and_every_body_has_its_model(
    methods: Methods, synthesised: Synthesised
) -> None:
    validators = {
        validator.key[1]: validator.properties
        for validator in synthesised.all("AWS::ApiGateway::RequestValidator")
    }
    for route in routes(DECLARED.http_apps):
        method = methods[route.path, route.method]
        validator = validators[method["RequestValidatorId"]["Ref"]]
        header = method.get("RequestParameters", {}).get("method.request.header.Idempotency-Key", False)
        # What another service signs is known by its signature.
        assert header is (route.method == "POST" and not route.operation.signed)
        assert validator["ValidateRequestParameters"] is True
        assert validator["ValidateRequestBody"] is (route.operation.schema is not None)
        assert ("RequestModels" in method) is (route.operation.schema is not None)


def test_a_schema_that_changes_is_deployed(synthesised: Synthesised) -> None:
    (deployment,) = synthesised.all("AWS::ApiGateway::Deployment")
    models = {model.key[1] for model in synthesised.all("AWS::ApiGateway::Model")}
    assert models <= set(deployment.body["DependsOn"])


def test_browsers_may_send_what_the_apps_take(synthesised: Synthesised) -> None:
    for method in synthesised.all("AWS::ApiGateway::Method"):
        if method.properties["HttpMethod"] == "OPTIONS":
            (answer,) = method.properties["Integration"]["IntegrationResponses"]
            allowed = answer["ResponseParameters"]["method.response.header.Access-Control-Allow-Headers"]
            assert allowed.strip("'").split(",") == CORS_HEADERS


def test_groups_of_the_user_pool_are_the_roles(synthesised: Synthesised) -> None:
    groups = {group.properties["GroupName"] for group in synthesised.all("AWS::Cognito::UserPoolGroup")}
    assert groups == set(ROLES)


def test_nobody_writes_his_own_organisation(synthesised: Synthesised) -> None:
    (client,) = synthesised.all("AWS::Cognito::UserPoolClient")
    assert "custom:organisation" in client.properties["ReadAttributes"]
    assert "custom:organisation" not in client.properties["WriteAttributes"]
