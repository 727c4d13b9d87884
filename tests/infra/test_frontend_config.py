"""What apps are told of a stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infra.frontend_config import FOLDER, ConfigRefused, of_machine, of_stage, write
from infra.local.settings import MachineSettings
from infra.stages import stage_named

ADDRESS = "0x" + "ab" * 32
OUTPUTS = {
    "carbonmarket-dev-functions": {"MarketAddress": ADDRESS},
    "carbonmarket-dev-api": {
        "ApiUrl": "https://api.dev.carbonmarket.dev",
        "UserPoolId": "us-east-1_AbCdEf123",
        "UserPoolClientId": "1h57kf5cpq17m0eml12EXAMPLE".lower(),
    },
}


@pytest.fixture
def schema() -> dict[str, Any]:
    """The schema in its file."""
    found: dict[str, Any] = json.loads((FOLDER / "schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(found)
    return found


def test_the_machine_writes_what_the_schema_allows(tmp_path: Path, schema: dict[str, Any]) -> None:
    settings = MachineSettings(state=tmp_path / "machine", gateway_port=3210).market_settings(ADDRESS)
    written = json.loads(write(of_machine(settings), tmp_path).read_text())
    jsonschema.validate(written, schema)
    assert written["stage"] == "local"
    assert written["api_url"] == "http://127.0.0.1:3210"
    assert written["auth"] == {"kind": "development"}
    assert written["chain"]["market_address"] == ADDRESS


def test_the_development_key_is_told_to_nobody(tmp_path: Path) -> None:
    settings = MachineSettings(state=tmp_path / "machine").market_settings(ADDRESS)
    assert settings.development_key not in write(of_machine(settings), tmp_path).read_text()


def test_a_stage_on_aws_is_told_from_the_outputs(tmp_path: Path, schema: dict[str, Any]) -> None:
    written = json.loads(write(of_stage(stage_named("dev"), OUTPUTS), tmp_path).read_text())
    jsonschema.validate(written, schema)
    assert written["auth"]["user_pool"] == "us-east-1_AbCdEf123"
    assert written["features"] == {"faucet": False}


def test_outputs_that_lack_a_stack_are_refused_by_name() -> None:
    with pytest.raises(ConfigRefused, match="carbonmarket-dev-api"):
        of_stage(stage_named("dev"), {"carbonmarket-dev-functions": {"MarketAddress": ADDRESS}})


def test_an_address_that_is_none_is_not_written(tmp_path: Path) -> None:
    settings = MachineSettings(state=tmp_path / "machine").market_settings("0x1")
    with pytest.raises(ConfigRefused, match="market_address"):
        write(of_machine(settings), tmp_path)
    assert not (tmp_path / "local.json").exists()
