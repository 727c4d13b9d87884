"""The market as CDK builds it: ``cdk synth -c stage=dev`` (or prod), offline."""

from __future__ import annotations

from typing import Any

from aws_cdk import App, Environment, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.declarations import declarations, resource_name
from infra.stacks.api import ApiStack
from infra.stacks.data import DataStack
from infra.stacks.events import EventsStack
from infra.stacks.functions import FunctionsStack
from infra.stacks.observability import ObservabilityStack
from infra.stages import StageConfig, StageRefused, stage_named


def build(app: App, config: StageConfig) -> None:
    """Add the stacks of a stage to the app, and what they are checked with."""
    declared = declarations(config.stage)
    shared: dict[str, Any] = {
        "config": config,
        "declared": declared,
        "env": Environment(account=config.account, region=config.region),
        "termination_protection": config.protected,
    }

    def name(stack: str) -> str:
        return resource_name(config.stage, stack)

    data = DataStack(app, name("data"), **shared)
    functions = FunctionsStack(app, name("functions"), data=data, **shared)
    events = EventsStack(app, name("events"), data=data, functions=functions, **shared)
    api = ApiStack(app, name("api"), functions=functions, **shared)
    ObservabilityStack(
        app, name("observability"), data=data, functions=functions, events=events, api=api, **shared
    )
    Tags.of(app).add("project", "carbonmarket")
    Tags.of(app).add("stage", config.stage)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def main() -> None:
    """Synthesise the stage that the context names; the development authorizer is refused here."""
    app = App()
    try:
        config = stage_named(
            app.node.try_get_context("stage") or "dev", authorizer=app.node.try_get_context("authorizer")
        )
    except StageRefused as error:
        raise SystemExit(f"refused: {error}") from None
    build(app, config)
    app.synth()


if __name__ == "__main__":
    main()
