"""What calls the functions besides people: queues, the clock, gateways' messages, sagas."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.declarations import (
    ROOT,
    Declarations,
    QueueSource,
    Schedule,
    StateMachine,
    TopicRule,
    resource_name,
)
from infra.stacks.data import DataStack
from infra.stacks.functions import FAILURES, FunctionsStack
from infra.stages import StageConfig

# Lambda takes no fewer at a queue's source.
_SOURCE_CONCURRENCY_MIN = 2
DEVICE_POLICY = ROOT / "iot_rules" / "policies" / "gateway.json"


class EventsStack(Stack):
    """``state_machines`` by short name."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        declared: Declarations,
        data: DataStack,
        functions: FunctionsStack,
        **told: Any,
    ) -> None:
        super().__init__(scope, id, **told)
        self._config = config
        self._data = data
        self._functions = functions.functions
        concurrency = {function.name: function.concurrency for function in declared.all_functions()}
        for source in declared.queue_sources:
            self._queue_source(source, concurrency[source.function])
        for schedule in declared.schedules:
            self._schedule(schedule)
        for rule in declared.rules:
            self._rule(rule)
        self._device_policy()
        self.state_machines = {machine.name: self._saga(machine) for machine in declared.state_machines}

    def _name(self, name: str) -> str:
        return resource_name(self._config.stage, name)

    def _queue_source(self, source: QueueSource, concurrency: int) -> None:
        lambda_.EventSourceMapping(
            self,
            f"source-{source.queue}",
            target=self._functions[source.function],
            event_source_arn=self._data.queues[source.queue].queue_arn,
            batch_size=source.batch_size,
            max_batching_window=Duration.seconds(source.window_seconds),
            max_concurrency=max(concurrency, _SOURCE_CONCURRENCY_MIN),
            report_batch_item_failures=True,
        )

    def _schedule(self, schedule: Schedule) -> None:
        target = self._functions[schedule.function].function_arn
        failures = self._data.queues[FAILURES].queue_arn
        role = self._role(
            f"schedule-{schedule.name}",
            "scheduler.amazonaws.com",
            {"lambda:InvokeFunction": [target], "sqs:SendMessage": [failures]},
        )
        scheduler.CfnSchedule(
            self,
            f"schedule-{schedule.name}",
            name=self._name(schedule.name),
            schedule_expression=schedule.expression,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": target,
                "roleArn": role.role_arn,
                "deadLetterConfig": {"arn": failures},
                # The next run does what this one would have done.
                "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 2},
            },
        )

    def _rule(self, rule: TopicRule) -> None:
        queues = [rule.queue, *([rule.error_queue] if rule.error_queue else [])]
        role = self._role(
            f"rule-{rule.name}",
            "iot.amazonaws.com",
            {"sqs:SendMessage": [self._data.queues[queue].queue_arn for queue in queues]},
        )

        def to_queue(queue: str) -> iot.CfnTopicRule.ActionProperty:
            url = self._data.queues[queue].queue_url
            return iot.CfnTopicRule.ActionProperty(
                sqs=iot.CfnTopicRule.SqsActionProperty(
                    queue_url=url, role_arn=role.role_arn, use_base64=False
                )
            )

        iot.CfnTopicRule(
            self,
            f"rule-{rule.name}",
            # IoT takes letters, digits and _ only.
            rule_name=self._name(rule.name).replace("-", "_"),
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                sql=rule.sql,
                aws_iot_sql_version=rule.sql_version,
                description=rule.description,
                rule_disabled=False,
                actions=[to_queue(rule.queue)],
                error_action=to_queue(rule.error_queue) if rule.error_queue else None,
            ),
        )

    def _device_policy(self) -> None:
        text = DEVICE_POLICY.read_text().replace("${stage}", self._config.stage)
        for pseudo, value in {
            "${AWS::Partition}": self.partition,
            "${AWS::Region}": self.region,
            "${AWS::AccountId}": self.account,
        }.items():
            text = text.replace(pseudo, value)
        iot.CfnPolicy(
            self, "device-policy", policy_name=self._name("gateway"), policy_document=json.loads(text)
        )

    def _saga(self, machine: StateMachine) -> sfn.StateMachine:
        arns = {name: self._functions[name].function_arn for name in machine.placeholders().values()}
        log_group = logs.LogGroup(
            self,
            f"saga-{machine.name}-logs",
            log_group_name=f"/aws/vendedlogs/states/{self._name(machine.name)}",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        made = sfn.StateMachine(
            self,
            f"saga-{machine.name}",
            state_machine_name=self._name(machine.name),
            definition_body=sfn.DefinitionBody.from_string(machine.path.read_text()),
            definition_substitutions={
                step: arns[function] for step, function in machine.placeholders().items()
            },
            tracing_enabled=True,
            # No payloads: a retirement's beneficiary must not stand in a log.
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ERROR, include_execution_data=False
            ),
            role=self._role(
                f"saga-{machine.name}", "states.amazonaws.com", {"lambda:InvokeFunction": list(arns.values())}
            ),
        )
        _acknowledge_saga(made)
        return made

    def _role(self, id: str, service: str, allowed: dict[str, list[str]]) -> iam.Role:
        return iam.Role(
            self,
            f"role-{id}",
            assumed_by=iam.ServicePrincipal(
                service, conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            inline_policies={
                "granted": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=[action], resources=resources)
                        for action, resources in allowed.items()
                    ]
                )
            },
        )


def _acknowledge_saga(machine: sfn.StateMachine) -> None:
    Validations.of(machine).acknowledge(
        Acknowledgment(
            id="AwsSolutions-SF1",
            reason="Only errors are logged: the log of every event would hold the executions' data.",
        )
    )
    Validations.of(machine.role).acknowledge(
        Acknowledgment(
            id="AwsSolutions-IAM5[Resource::*]",
            reason="X-Ray and the delivery of vended logs take no resource.",
        )
    )
