"""What is built is closed, watched and no more powerful than declared."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carbonmarket_adapters.notifications import COUNTED
from infra.declarations import ROOT, resource_name
from infra.grants import CUSTODY
from infra.stages import STAGES
from tests.infra.conftest import STAGE, Resource, Synthesised
from tests.infra.test_template import DECLARED, FUNCTIONS, arn_names

# Resources that end in a wildcard, as (service, pattern): why each is needed stands in constructs/grants.py.
WILDCARDS_ALLOWED = [
    ("s3", r"arn:.+:s3:::carbonmarket-dev-(documents|evidence|certificates)/\*"),
    ("iot", r"arn:.+:iot:us-east-1:.+:(thing/GW|cert/)\*"),
]
ANY_RESOURCE_ALLOWED = {
    "iot:AttachThingPrincipal",
    "iot:CreateCertificateFromCsr",
    "iot:DescribeEndpoint",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# cfn-lint's rules that are not asked for, each with its reason.
LINT_SKIPPED = {"W3005": "CDK writes a DependsOn beside the reference that already says it"}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(synthesised: Synthesised) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Every allowing statement of every role, with the role."""
    for role in synthesised.all("AWS::IAM::Role"):
        for policy in role.properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role, statement
    for policy in synthesised.all("AWS::IAM::Policy"):
        for reference in policy.properties["Roles"]:
            role = synthesised.at((policy.key[0], reference["Ref"]))
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                yield role, statement


def role_name(function: str) -> str:
    return resource_name(STAGE, function)


def test_no_policy_allows_actions_by_wildcard(synthesised: Synthesised) -> None:
    actions = {action for _, statement in statements(synthesised) for action in listed(statement["Action"])}
    assert [action for action in actions if "*" in action] == []


def test_wildcard_resources_are_those_that_cannot_be_named(synthesised: Synthesised) -> None:
    unexpected = []
    for role, statement in statements(synthesised):
        actions = listed(statement["Action"])
        for resource in map(arn_names, listed(statement["Resource"])):
            if resource == "*":
                unexpected += [(role.key, action) for action in actions if action not in ANY_RESOURCE_ALLOWED]
            elif "*" in resource and not any(
                re.fullmatch(pattern, resource) and all(action.startswith(service) for action in actions)
                for service, pattern in WILDCARDS_ALLOWED
            ):
                unexpected.append((role.key, resource))
    assert unexpected == []


def test_a_function_reaches_the_tables_it_was_granted_and_no_other(synthesised: Synthesised) -> None:
    reached = defaultdict(set)
    for role, statement in statements(synthesised):
        if any(action.startswith("dynamodb:") for action in listed(statement["Action"])):
            for resource in listed(statement["Resource"]):
                if "Fn::ImportValue" in resource:
                    table = synthesised.short(resource, role.key[0], "TableName")
                    reached[role.properties["RoleName"]].add(table)
    granted = {
        role_name(name): {grant.name for grant in function.grants if grant.kind in ("table", "custody")}
        for name, function in FUNCTIONS.items()
    }
    assert reached == {role: tables for role, tables in granted.items() if tables}


def test_no_function_may_invoke_another(synthesised: Synthesised) -> None:
    functions = {role_name(name) for name in FUNCTIONS}
    invoking = [
        role.key
        for role, statement in statements(synthesised)
        if role.properties.get("RoleName") in functions
        and any(action.startswith("lambda:") for action in listed(statement["Action"]))
    ]
    assert invoking == []


def test_what_is_appended_is_never_updated_nor_deleted(synthesised: Synthesised) -> None:
    for role, statement in statements(synthesised):
        for resource in listed(statement["Resource"]):
            if isinstance(resource, dict) and "Fn::ImportValue" in resource:
                target = synthesised.at(synthesised.target(resource, role.key[0]))
                if target.properties.get("TableName") == resource_name(STAGE, "audit"):
                    assert set(listed(statement["Action"])) == {
                        "dynamodb:ConditionCheckItem",
                        "dynamodb:PutItem",
                    }


def reaching_custody(synthesised: Synthesised) -> Iterator[tuple[str, set[str], dict[str, Any]]]:
    """(role, actions, statement) of every statement on organisations' sealed keys, or on the key of KMS that
    wraps their data keys."""
    custody = {resource_name(STAGE, CUSTODY), f"alias/{resource_name(STAGE, CUSTODY)}"}
    aliased = {
        synthesised.target(alias.properties["TargetKeyId"], alias.key[0]): alias.properties["AliasName"]
        for alias in synthesised.all("AWS::KMS::Alias")
    }
    for role, statement in statements(synthesised):
        for resource in listed(statement["Resource"]):
            if isinstance(resource, dict) and ({"Fn::ImportValue", "Fn::GetAtt"} & resource.keys()):
                key = synthesised.target(resource, role.key[0])
                name = aliased.get(key) or synthesised.at(key).properties.get("TableName")
                if name in custody:
                    yield role.properties["RoleName"], set(listed(statement["Action"])), statement


def test_organisations_keys_are_opened_where_it_is_declared_and_made_where_nothing_is_opened(
    synthesised: Synthesised,
) -> None:
    allowed = defaultdict(set)
    for role, actions, statement in reaching_custody(synthesised):
        allowed[role] |= actions
        if any(action.startswith("kms:") for action in actions):
            assert statement["Condition"] == {
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["key"]},
                "StringLike": {"kms:EncryptionContext:key": "ORG*"},
            }
    expected = {
        "sign": {"dynamodb:GetItem", "kms:Decrypt"},
        "create": {"dynamodb:GetItem", "dynamodb:PutItem", "kms:GenerateDataKey"},
    }
    assert allowed == {
        role_name(name): expected[grant.access]
        for name, function in FUNCTIONS.items()
        for grant in function.grants
        if grant.kind == "custody"
    }


def counted(alarm: Resource) -> list[dict[str, Any]]:
    """The metrics that an alarm watches."""
    if "Metrics" not in alarm.properties:
        return [alarm.properties]
    return [each["MetricStat"]["Metric"] for each in alarm.properties["Metrics"] if "MetricStat" in each]


def test_every_function_has_its_log_group_a_place_for_failures_and_an_alarm(
    synthesised: Synthesised,
) -> None:
    groups = {group.key: group for group in synthesised.all("AWS::Logs::LogGroup")}
    failures = {
        synthesised.target(config.properties["FunctionName"], config.key[0]): config.properties
        for config in synthesised.all("AWS::Lambda::EventInvokeConfig")
    }
    watched = {
        synthesised.target(metric["Dimensions"][0]["Value"], alarm.key[0])
        for alarm in synthesised.all("AWS::CloudWatch::Alarm")
        for metric in counted(alarm)
        if (metric["Namespace"], metric["MetricName"]) == ("AWS/Lambda", "Errors")
    }
    for function in synthesised.all("AWS::Lambda::Function"):
        group = groups[synthesised.target(function.properties["LoggingConfig"]["LogGroup"], function.key[0])]
        assert group.properties["RetentionInDays"] > 0
        assert "OnFailure" in failures[function.key]["DestinationConfig"]
        assert function.key in watched


def test_every_alarm_is_told_to_somebody(synthesised: Synthesised) -> None:
    assert all(alarm.properties["AlarmActions"] for alarm in synthesised.all("AWS::CloudWatch::Alarm"))
    assert synthesised.all("AWS::SNS::Subscription")


def test_alarms_may_publish_to_their_topic(synthesised: Synthesised) -> None:
    (policy,) = synthesised.all("AWS::SNS::TopicPolicy")
    # A policy of its own takes the place of the one with which every topic lets its account's alarms publish.
    [allowed] = [
        each for each in policy.properties["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"
    ]
    assert (allowed["Action"], allowed["Principal"]) == (
        "sns:Publish",
        {"Service": "cloudwatch.amazonaws.com"},
    )
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_dead_letters_sagas_and_the_reconciliation_are_watched(synthesised: Synthesised) -> None:
    alarms = {alarm.properties["AlarmName"] for alarm in synthesised.all("AWS::CloudWatch::Alarm")}
    wanted = {f"{queue.name}-depth" for queue in DECLARED.queues if not queue.dlq}
    for machine in DECLARED.state_machines:
        wanted |= {f"{machine.name}-failed", f"{machine.name}-timed-out"}
    wanted |= {f"{schedule.name}-silent" for schedule in DECLARED.schedules}
    wanted |= {"reconciliation-difference", "money-reconciliation-difference", "payment-event-failed"}
    wanted |= {"case-opened", "cases-open", "payout-began-to-wait", "payouts-waiting"}
    assert {resource_name(STAGE, name) for name in wanted} <= alarms


def test_a_step_that_refuses_wakes_nobody(synthesised: Synthesised) -> None:
    alarms = {alarm.properties["AlarmName"]: alarm for alarm in synthesised.all("AWS::CloudWatch::Alarm")}
    for machine in DECLARED.state_machines:
        for step in machine.steps:
            alarm = alarms[resource_name(STAGE, f"{step.name}-errors")]
            refusals = {"Name": "service", "Value": resource_name(STAGE, step.name)}
            assert [metric["Dimensions"] for metric in counted(alarm)][1] == [refusals]


def test_a_saga_that_was_refused_and_undone_wakes_nobody(synthesised: Synthesised) -> None:
    undos = {"mint": "mint-reject-period", "retire": "retire-fail-retirement"}
    undos["settle_trade"] = "settle_trade-fail-purchase"
    alarms = {alarm.properties["AlarmName"]: alarm for alarm in synthesised.all("AWS::CloudWatch::Alarm")}
    for saga, undo in undos.items():
        alarm = alarms[resource_name(STAGE, f"{saga}-failed")]
        metrics = {metric["Id"]: metric for metric in alarm.properties["Metrics"]}
        (expression,) = (metric["Expression"] for metric in metrics.values() if "Expression" in metric)
        assert expression == "FILL(failed, 0) - FILL(undone, 0) + FILL(errors, 0)"
        for id, counted in {"undone": "Invocations", "errors": "Errors"}.items():
            metric = metrics[id]["MetricStat"]["Metric"]
            function = synthesised.short(metric["Dimensions"][0]["Value"], alarm.key[0], "FunctionName")
            assert (function, metric["MetricName"]) == (undo, counted)


def test_the_markets_own_alarms_watch_metrics_that_the_functions_send(synthesised: Synthesised) -> None:
    watched = 0
    for alarm in synthesised.all("AWS::CloudWatch::Alarm"):
        if alarm.properties.get("Namespace") == "CarbonMarket":
            (dimension,) = alarm.properties["Dimensions"]
            service, metric = dimension["Value"], alarm.properties["MetricName"]
            if service == "notifications":
                # Counted where they are sent, by whichever function.
                assert metric in COUNTED.values()
            else:
                folder = ROOT / "functions" / service
                source = "".join(path.read_text() for path in folder.glob("*.py"))
                assert re.search(rf'service"?[=:] ?"{service}"', source)
                assert f'name="{metric}"' in source
            watched += 1
    assert watched > 0


def test_every_bucket_is_private_encrypted_versioned_and_asks_for_tls(synthesised: Synthesised) -> None:
    denying = _denying_plain_transport(synthesised, "AWS::S3::BucketPolicy", "Bucket")
    for bucket in synthesised.all("AWS::S3::Bucket"):
        properties = bucket.properties
        assert all(properties["PublicAccessBlockConfiguration"].values())
        assert properties["BucketEncryption"]
        assert bucket.key in denying
        if not properties["BucketName"].endswith("access-logs"):
            assert properties["VersioningConfiguration"] == {"Status": "Enabled"}


def test_every_queue_is_encrypted_and_asks_for_tls(synthesised: Synthesised) -> None:
    denying = _denying_plain_transport(synthesised, "AWS::SQS::QueuePolicy", "Queues")
    for queue in synthesised.all("AWS::SQS::Queue"):
        assert queue.properties["SqsManagedSseEnabled"] is True
        assert queue.key in denying


def _denying_plain_transport(synthesised: Synthesised, kind: str, named_by: str) -> set[tuple[str, str]]:
    return {
        synthesised.target(reference, policy.key[0])
        for policy in synthesised.all(kind)
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"].get("Bool") == {"aws:SecureTransport": "false"}
        for reference in listed(policy.properties[named_by])
    }


def test_every_table_can_be_restored_and_is_encrypted_with_the_markets_key(synthesised: Synthesised) -> None:
    for table in synthesised.all("AWS::DynamoDB::GlobalTable"):
        (replica,) = table.properties["Replicas"]
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table.properties["SSESpecification"]["SSEType"] == "KMS"


def test_the_api_answers_at_its_domain_alone_and_is_limited(synthesised: Synthesised) -> None:
    (api,) = synthesised.all("AWS::ApiGateway::RestApi")
    (stage,) = synthesised.all("AWS::ApiGateway::Stage")
    assert api.properties["DisableExecuteApiEndpoint"] is True
    (setting,) = stage.properties["MethodSettings"]
    assert setting["ThrottlingRateLimit"] > 0
    assert setting["DataTraceEnabled"] is False
    assert synthesised.all("AWS::WAFv2::WebACLAssociation")


def test_access_logs_hold_no_address_and_no_identity(synthesised: Synthesised) -> None:
    (stage,) = synthesised.all("AWS::ApiGateway::Stage")
    fields = re.findall(r"\$context\.[\w.]+", stage.properties["AccessLogSetting"]["Format"])
    assert [field for field in fields if "identity" in field or "authorizer" in field] == []


def test_cdk_nag_finds_nothing_that_is_not_acknowledged(synthesised: Synthesised) -> None:
    assert synthesised.findings == []


def test_cfn_lint_finds_nothing(synthesised: Synthesised) -> None:
    templates = sorted(synthesised.folder.glob("*.template.json"))
    command = [Path(sys.executable).parent / "cfn-lint", "--ignore-checks", *LINT_SKIPPED, "--", *templates]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


LIMITS = {
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::DynamoDB::GlobalTable": ("TableName", 255),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", 80),
    "AWS::Scheduler::Schedule": ("Name", 64),
    "AWS::IoT::TopicRule": ("RuleName", 128),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_names_fit_in_every_stage(synthesised: Synthesised, kind: str) -> None:
    name, length_max = LIMITS[kind]
    for resource in synthesised.all(kind):
        if name in resource.properties:
            for config in STAGES:
                renamed = resource.properties[name].replace(STAGE, config.stage)
                assert len(renamed) <= length_max


def test_every_stack_fits_cloudformation(synthesised: Synthesised) -> None:
    for template in synthesised.templates.values():
        assert len(template["Resources"]) <= 500


def test_the_runbook_says_what_to_do_at_every_alarm(synthesised: Synthesised) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    families = [f"{name}-{what}" for name in FUNCTIONS for what in ("errors", "throttles")]
    families += [
        f"{machine.name}-{what}" for machine in DECLARED.state_machines for what in ("timed-out", "aborted")
    ]
    alarms = synthesised.names("AWS::CloudWatch::Alarm", "AlarmName") - set(families)
    assert [alarm for alarm in alarms if f"`{alarm}`" not in runbook] == []
