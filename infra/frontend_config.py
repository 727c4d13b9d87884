"""What web and mobile apps are told of a stage, written to ``frontend_config/<stage>.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import fastjsonschema

from carbonmarket.settings import Settings
from infra.declarations import ROOT, resource_name
from infra.stages import LOCAL, StageConfig, stage_named

FOLDER = ROOT / "frontend_config"
_VERSION = 1


class ConfigRefused(Exception):
    """What apps would be told is not what the schema allows."""


def of_machine(settings: Settings) -> dict[str, Any]:
    """The configuration of the machine that runs with these settings."""
    return _config(settings, {"kind": "development"}, faucet=True)


def of_stage(config: StageConfig, outputs: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The configuration of a stage on AWS; ``outputs`` is what ``cdk deploy --outputs-file`` wrote."""
    try:
        api = outputs[resource_name(config.stage, "api")]
        functions = outputs[resource_name(config.stage, "functions")]
        auth = {
            "kind": "cognito",
            "region": config.region,
            "user_pool": api["UserPoolId"],
            "client": api["UserPoolClientId"],
        }
        address = functions["MarketAddress"]
    except KeyError as error:
        raise ConfigRefused(f"the outputs lack {error}; deploy every stack of {config.stage} first") from None
    settings = config.settings(market_address=address, readings_store="")
    return _config(settings, auth, faucet=False)


def write(config: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Check the configuration and write it; answers the file's path. ConfigRefused says what is wrong."""
    validate = fastjsonschema.compile(json.loads((FOLDER / "schema.json").read_text()))
    try:
        validate(config)
    except fastjsonschema.JsonSchemaValueException as error:
        raise ConfigRefused(f"the configuration of stage {config['stage']}: {error.message}") from None
    path = folder / f"{config['stage']}.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def _config(settings: Settings, auth: dict[str, str], *, faucet: bool) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "stage": settings.stage,
        "api_url": settings.public_url,
        "auth": auth,
        "chain": {
            "chain_id": settings.chain_id,
            "node_url": settings.aptos_node_url,
            "market_address": settings.market_address,
        },
        "features": {"faucet": faucet},
    }


@click.command()
@click.argument("stage")
@click.argument("outputs", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(stage: str, outputs: Path) -> None:
    """Write the configuration of STAGE from the file OUTPUTS of `cdk deploy --outputs-file`."""
    if stage == LOCAL:
        raise click.ClickException("the machine writes local.json itself when it starts")
    try:
        path = write(of_stage(stage_named(stage), json.loads(outputs.read_text())))
    except ConfigRefused as error:
        raise click.ClickException(str(error)) from None
    click.echo(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
