"""What is watched, and who is told."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from carbonmarket_adapters.saga_steps import REFUSALS
from infra.constructs.function import METRICS_NAMESPACE
from infra.declarations import Declarations, StateMachine, resource_name
from infra.stacks.api import ApiStack
from infra.stacks.data import DataStack
from infra.stacks.events import EventsStack
from infra.stacks.functions import FunctionsStack
from infra.stages import StageConfig

_FIVE_MINUTES = Duration.minutes(5)
_TWO_HOURS = Duration.hours(2)
_DAY = Duration.days(1)
# A minute or two of a busy public chain.
_VERSIONS_BEHIND_MAX = 20_000
# How long a schedule may be silent: a period of its metric, and how many of them.
_PATIENCE = {"rate(1 minute)": (_FIVE_MINUTES, 3), "rate(1 hour)": (_TWO_HOURS, 1)}


class ObservabilityStack(Stack):
    """Every alarm of the stage; each goes to the same topic and the same address."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        declared: Declarations,
        data: DataStack,
        functions: FunctionsStack,
        events: EventsStack,
        api: ApiStack,
        **told: Any,
    ) -> None:
        super().__init__(scope, id, **told)
        self._config = config
        self._topic = self._alarm_topic()
        self._functions(declared, functions)
        for queue in declared.queues:
            if not queue.dlq:
                self._alarm(
                    f"{queue.name}-depth",
                    data.queues[queue.name].metric_approximate_number_of_messages_visible(
                        period=_FIVE_MINUTES, statistic="Maximum"
                    ),
                    f"{queue.name} holds messages that could not be handled",
                )
        for source in declared.queue_sources:
            self._alarm(
                f"{source.queue}-late",
                data.queues[source.queue].metric_approximate_age_of_oldest_message(period=_FIVE_MINUTES),
                f"The oldest message of {source.queue} has waited for 15 minutes",
                threshold=900,
            )
        for declared_machine in declared.state_machines:
            self._saga(declared_machine, events, functions)
        self._alarm(
            "api-faults", api.api.metric_server_error(period=_FIVE_MINUTES), "The API answered with a 5xx"
        )
        self._market()
        self._schedules(declared, functions)

    def _functions(self, declared: Declarations, functions: FunctionsStack) -> None:
        steps = {step.name for machine in declared.state_machines for step in machine.steps}
        for name, function in functions.functions.items():
            errors: cloudwatch.IMetric = function.metric_errors(period=_FIVE_MINUTES)
            if name in steps:
                errors = self._faults(name, function)
            self._alarm(f"{name}-errors", errors, f"Function {name} failed")
            self._alarm(
                f"{name}-throttles",
                function.metric_throttles(period=_FIVE_MINUTES),
                f"Function {name} was refused a place to run in for 15 minutes",
                periods=3,
            )

    def _faults(self, name: str, function: lambda_.IFunction) -> cloudwatch.IMetric:
        """The errors of a saga's step that are no answers to the saga: not yet, declined, nothing to buy."""
        refusals = cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=REFUSALS,
            dimensions_map={"service": resource_name(self._config.stage, name)},
            statistic="Sum",
        )
        return cloudwatch.MathExpression(
            expression="FILL(errors, 0) - FILL(refusals, 0)",
            using_metrics={"errors": function.metric_errors(), "refusals": refusals},
            period=_FIVE_MINUTES,
        )

    def _saga(self, declared: StateMachine, events: EventsStack, functions: FunctionsStack) -> None:
        machine, undo = events.state_machines[declared.name], functions.functions[_undo(declared)]
        # A refusal is an ordinary end, a declined card's too: its undo ran, once and without an error.
        unforeseen = cloudwatch.MathExpression(
            expression="FILL(failed, 0) - FILL(undone, 0) + FILL(errors, 0)",
            using_metrics={
                "failed": machine.metric_failed(),
                "undone": undo.metric_invocations(),
                "errors": undo.metric_errors(),
            },
            # An undo and its end may fall into two periods, which is an alarm about nothing.
            period=Duration.minutes(15),
        )
        for kind, metric in {
            "failed": unforeseen,
            "timed-out": machine.metric_timed_out(period=_FIVE_MINUTES),
            "aborted": machine.metric_aborted(period=_FIVE_MINUTES),
        }.items():
            self._alarm(f"{declared.name}-{kind}", metric, f"A saga {declared.name} ended {kind}")

    def _market(self) -> None:
        self._alarm(
            "reconciliation-difference",
            _market_metric("ReconciliationDifference", "reconcile", _DAY),
            "Serials, the chain's supply and the projection differ",
        )
        self._alarm(
            "money-reconciliation-difference",
            _market_metric("MoneyReconciliationDifference", "reconcile_money", _DAY),
            "The ledger, the payment provider and the treasury on chain differ",
        )
        for name, metric, description in (
            ("anchor-failures", "AnchorFailures", "Readings of a project could not be anchored"),
            ("anchor-refusals", "AnchorRefusals", "The contract refused an anchor"),
        ):
            hourly = _market_metric(metric, "anchor_readings", Duration.hours(1))
            self._alarm(name, hourly, description)
        self._alarm(
            "rating-refusals",
            _market_metric("RatingRefusals", "rate_parties", Duration.hours(1)),
            "The contract refused a rating",
        )
        self._alarm(
            "chain-rewound",
            _market_metric("VersionsUndone", "watch_chain", _FIVE_MINUTES),
            "The chain went back or was replaced, and the projection with it",
        )
        self._alarm(
            "chain-behind",
            _market_metric("VersionsBehind", "watch_chain", _FIVE_MINUTES),
            "The projection has been far behind the chain for 15 minutes",
            threshold=_VERSIONS_BEHIND_MAX,
            periods=3,
        )
        self._alarm(
            "chain-unreachable",
            _market_metric("NodeUnavailable", "watch_chain", _FIVE_MINUTES),
            "The Aptos node has not answered for 15 minutes",
            periods=3,
        )
        for name, metric, description in (
            ("case-opened", "CaseOpened", "A dispute, a late refund or credits of a failed purchase came up"),
            ("payout-began-to-wait", "PayoutBeganToWait", "A seller could not be paid"),
        ):
            self._alarm(name, _market_metric(metric, "notifications", _FIVE_MINUTES), description)
        self._alarm(
            "sponsor-low",
            _market_metric("SponsorOctas", "work_books", _FIVE_MINUTES),
            "The sponsor's account has few coins left to pay fees with",
            threshold=self._config.sponsor_octas_min,
            below=True,
        )
        self._alarm(
            "float-low",
            _market_metric("FloatUnits", "retry_payouts", _TWO_HOURS),
            "Little is left of the float that purchases by card are filled from",
            threshold=self._config.float_units_min,
            below=True,
        )
        self._alarm(
            "payment-event-failed",
            _market_metric("PaymentEventFailed", "api_purchases", _FIVE_MINUTES),
            "An event of the payment provider could not be handled",
        )
        # Longer than the hour between two runs, so that no alarm goes off between them.
        for name, metric, description in (
            ("cases-open", "CasesOpen", "A case waits for a person"),
            ("payouts-waiting", "PayoutsWaiting", "Sellers are owed what could not be paid"),
        ):
            self._alarm(name, _market_metric(metric, "retry_payouts", _TWO_HOURS), description)

    def _schedules(self, declared: Declarations, functions: FunctionsStack) -> None:
        for schedule in declared.schedules:
            period, periods = _PATIENCE.get(schedule.expression, (_DAY, 1))
            minutes = periods * int(period.to_minutes())
            self._alarm(
                f"{schedule.name}-silent",
                functions.functions[schedule.function].metric_invocations(period=period),
                f"Nothing has run {schedule.function} for {minutes} minutes",
                periods=periods,
                below=True,
            )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: int = 1,
        periods: int = 1,
        below: bool = False,
    ) -> None:
        operators = cloudwatch.ComparisonOperator
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=resource_name(self._config.stage, name),
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=operators.LESS_THAN_THRESHOLD
            if below
            else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing.BREACHING if below else missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _alarm_topic(self) -> sns.Topic:
        key = kms.Key(
            self,
            "alarms-key",
            description=f"Alarms of stage {self._config.stage}",
            enable_key_rotation=True,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        topic = sns.Topic(
            self,
            "alarms",
            topic_name=resource_name(self._config.stage, "alarms"),
            master_key=key,
            enforce_ssl=True,
        )
        # A topic's own policy takes the place of the one that lets its account's alarms publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        topic.add_subscription(subscriptions.EmailSubscription(self._config.alarms_email))
        return topic


def _undo(machine: StateMachine) -> str:
    """The function after which an execution has failed as it should."""
    states = json.loads(machine.path.read_text())["States"]
    ends = {name for name, state in states.items() if state["Type"] == "Fail"}
    (undo,) = (name for name, state in states.items() if state.get("Next") in ends)
    return machine.placeholders()[undo]


def _market_metric(name: str, service: str, period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        statistic="Maximum",
        period=period,
    )
