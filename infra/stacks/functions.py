"""What runs: one Lambda function per entry point, on three layers."""

from __future__ import annotations

from typing import Any

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.constructs.function import ARCHITECTURE, RUNTIME, MarketFunction, Surroundings
from infra.declarations import ROOT, Declarations, Function, HttpApp
from infra.stacks.data import DataStack
from infra.stages import StageConfig

_FIRST_VERSION = "CARBONMARKET_FIRST_VERSION"
# Lambda sets the region itself and refuses to be told; an endpoint is of one machine only.
_NOT_TOLD = {"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"}
FAILURES = "schedules-dlq"


class FunctionsStack(Stack):
    """``functions`` by short name, the HTTP apps and the sagas' steps included."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        declared: Declarations,
        data: DataStack,
        **told: Any,
    ) -> None:
        super().__init__(scope, id, **told)
        around = Surroundings(
            config=config,
            made=data.made,
            layers=tuple(self._layer(name) for name in ("core", "adapters", "vendor")),
            failures=data.queues[FAILURES],
            environment=self._environment(config),
        )
        # A queue's function has its bound at the source. A saga's step has none: a burst of purchases would
        # be throttled at a reserved one, and what a step changes is guarded by conditional writes.
        unreserved = {source.function for source in declared.queue_sources}
        unreserved |= {step.name for machine in declared.state_machines for step in machine.steps}
        self.functions: dict[str, lambda_.IFunction] = {}
        for function in declared.all_functions():
            made = MarketFunction(self, function, around, reserve=function.name not in unreserved)
            self.functions[function.name] = made.function
        for app in declared.http_apps:
            # API Gateway's limits bound how many run.
            self.functions[app.name] = MarketFunction(self, as_function(app), around, reserve=False).function

    def _layer(self, name: str) -> lambda_.LayerVersion:
        folder = ROOT / "layers" / name
        layer = lambda_.LayerVersion(
            self,
            f"layer-{name}",
            code=lambda_.Code.from_asset(str(folder), exclude=["/*", "!/python", "__pycache__", "*.pyc"]),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
            description=f"The market's layer {name}",
        )
        if not (folder / "python").is_dir():
            Annotations.of(layer).add_warning_v2(
                "carbonmarket:layer", f"layers/{name}/python is not built; `make package` before a deployment"
            )
        return layer

    def _environment(self, config: StageConfig) -> dict[str, str]:
        def parameter(name: str) -> str:
            return ssm.StringParameter.value_for_string_parameter(self, config.parameter(name))

        market_address = parameter("market-address")
        CfnOutput(self, "MarketAddress", value=market_address)
        settings = config.settings(market_address=market_address, readings_store=parameter("readings-store"))
        told = {name: value for name, value in settings.to_env().items() if value and name not in _NOT_TOLD}
        # A public chain has billions of versions before the contracts: without the parameter nothing deploys.
        return {**told, _FIRST_VERSION: parameter("first-version")}


def as_function(app: HttpApp) -> Function:
    """An HTTP app as the function that it is."""
    return Function(
        app.name,
        f"{app.module}.{app.attribute}",
        app.grants,
        memory_mb=app.memory_mb,
        timeout_seconds=app.timeout_seconds,
    )
