"""One Lambda function as all of them are: its own asset, role, log group and place for failed events."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Acknowledgment, Duration, IgnoreMode, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.grants import WILDCARDS, Resources, acknowledgments, statements
from infra.declarations import ROOT, Function, resource_name
from infra.stages import StageConfig

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
METRICS_NAMESPACE = "CarbonMarket"


@dataclass(frozen=True)
class Surroundings:
    """What every function of a stage shares; ``failures`` takes events that no attempt could handle."""

    config: StageConfig
    made: Resources
    layers: tuple[lambda_.ILayerVersion, ...]
    failures: sqs.IQueue
    environment: dict[str, str]


class MarketFunction(Construct):
    """A declared function. ``reserve`` sets aside its declared concurrency; a queue's function has the
    bound at its source instead, where a throttled message isn't counted as received, and a saga's step has
    none."""

    def __init__(
        self,
        scope: Construct,
        declared: Function,
        around: Surroundings,
        *,
        reserve: bool,
    ) -> None:
        super().__init__(scope, declared.name)
        name = resource_name(around.config.stage, declared.name)
        log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=_retention(around.config.log_days),
            removal_policy=RemovalPolicy.RETAIN if around.config.protected else RemovalPolicy.DESTROY,
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            code=code_of(declared),
            handler=declared.handler,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            memory_size=declared.memory_mb,
            timeout=Duration.seconds(declared.timeout_seconds),
            layers=list(around.layers),
            role=_role(self, name, declared, around, log_group),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            on_failure=destinations.SqsDestination(around.failures),
            reserved_concurrent_executions=declared.concurrency if reserve else None,
            environment={
                **around.environment,
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_SERVICE_NAME": declared.name,
            },
        )

        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="The code runs on Python 3.11 to 3.13, and the layers' wheels are built for 3.13.",
            )
        )


def code_of(declared: Function) -> lambda_.Code:
    """The entry point's folder at its import path; every pattern is anchored, so that no folder of the
    same name deeper down is left out with one at the root."""
    folder = declared.handler.split(".")[1]
    return lambda_.Code.from_asset(
        str(ROOT),
        exclude=["/*", "!/functions", "/functions/*", f"!/functions/{folder}", "__pycache__"],
        ignore_mode=IgnoreMode.GIT,
    )


def _role(
    scope: Construct, name: str, declared: Function, around: Surroundings, log_group: logs.ILogGroup
) -> iam.Role:
    stack = Stack.of(scope)
    granted = statements(stack, around.config.stage, declared.grants, around.made)
    # In the role's own document, and not added afterwards, since a function can't be made before it may
    # write its logs.
    document = iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            ),
            *granted,
        ]
    )
    role = iam.Role(
        scope,
        "Role",
        role_name=name,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"granted": document},
    )
    Validations.of(role).acknowledge(
        Acknowledgment(id="AwsSolutions-IAM5[Resource::*]", reason=WILDCARDS["*"]),
        *acknowledgments(stack, granted),
    )
    return role


def _retention(days: int) -> logs.RetentionDays:
    return {14: logs.RetentionDays.TWO_WEEKS, 90: logs.RetentionDays.THREE_MONTHS}[days]
