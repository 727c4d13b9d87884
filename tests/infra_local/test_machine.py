"""The whole machine: starts in order, listens on loopback alone, stops cleanly, and goes on where it was."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from click.testing import CliRunner
from rich.console import Console

from carbonmarket.errors import EngineUnavailable
from carbonmarket_adapters.wiring import money as wiring_money
from infra.bootstrap import first_version
from infra.declarations import declarations, resource_name
from infra.local.__main__ import main
from infra.local.deploy import client
from infra.local.engines.process import EngineError, listens
from infra.local.engines.stripe.webhooks import signature
from infra.local.machine import Machine
from infra.local.run import prepare
from infra.local.settings import CREDENTIALS, LOOPBACK, MachineSettings
from tests.fixtures.machine import ENGINES, forget_wiring
from tests.infra_local.conftest import eventually

pytestmark = [pytest.mark.engines, pytest.mark.chain, pytest.mark.xdist_group("machine")]


@pytest.fixture(scope="module")
def console() -> Console:
    return Console(record=True, quiet=False, width=100)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, console: Console) -> Iterator[Machine]:
    settings = MachineSettings(state=tmp_path_factory.mktemp("machine")).on_free_ports()
    forget_wiring()
    machine = Machine(settings, prepare, console)
    machine.start()
    yield machine
    machine.stop()
    forget_wiring()


def put_object(machine: Machine, key: str) -> None:
    s3 = client("s3", machine.settings.aws_url)
    s3.put_object(Bucket="carbonmarket-local-documents", Key=key, Body=b"kept")


def chain(machine: Machine) -> Any:
    return requests.get(machine.settings.node_url, timeout=10).json()


def test_everything_serves_when_start_returns(machine: Machine) -> None:
    health = requests.get(f"{machine.settings.gateway_url}/healthz", timeout=10).json()
    declared = sorted(app.name for app in declarations(machine.settings.stage).http_apps)
    assert health == {"status": "ok", "apps": declared}
    assert chain(machine)["chain_id"] == machine.settings.chain_id


def test_each_engine_is_named_as_it_gets_ready(machine: Machine, console: Console) -> None:
    printed = console.export_text(clear=False)
    for name in ENGINES:
        assert f"ready {name}" in printed


def test_cards_are_charged_with_the_keys_that_the_machine_has_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(machine.settings.environment_file.read_text())
    for name, value in {**told, **CREDENTIALS}.items():
        monkeypatch.setenv(name, value)
    forget_wiring()
    payments = wiring_money.payments()
    assert payments.authorise("one", 500, "USD", "pm_card_visa", {}).state == "authorised"
    event = b'{"id": "evt_1", "type": "a.story", "created": 1, "data": {"object": {}}}'
    secrets = client("secretsmanager", machine.settings.aws_url)
    shared = secrets.get_secret_value(SecretId=told["CARBONMARKET_STRIPE_WEBHOOK_SECRET"])["SecretString"]
    assert payments.read_webhook(event, signature(event, shared, int(time.time()))).id == "evt_1"
    machine.engine("Stripe server").kill()
    with pytest.raises(EngineUnavailable, match="carbonmarket up"):
        payments.status("pi_1")
    machine.engine("Stripe server").start()
    forget_wiring()


def test_a_new_machine_agrees_on_its_money(machine: Machine) -> None:
    """The float that the treasury begins with stands in the ledger as it stands on chain."""
    name = resource_name(machine.settings.stage, "reconcile-money")
    answer = client("lambda", machine.settings.aws_url).invoke(FunctionName=name, Payload=b"{}")
    assert json.loads(answer["Payload"].read()) == {"matched": 0, "differences": 0}


def test_a_declared_schedule_runs_its_function(machine: Machine) -> None:
    dynamodb = client("dynamodb", machine.settings.aws_url)
    # watch_chain runs each minute and leaves its cursor here.
    eventually(lambda: dynamodb.scan(TableName="carbonmarket-local-chain", Limit=1)["Count"])


def test_nothing_listens_beyond_loopback(machine: Machine) -> None:
    listening = [
        connection.laddr
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.port for address in listening} >= set(machine.settings.ports().values())
    assert {address.ip for address in listening} == {LOOPBACK}


def test_all_of_it_fits_in_four_gigabytes(machine: Machine) -> None:
    # This machine's alone: other stories of the same test process have engines of their own.
    engines = [psutil.Process(machine.engine(name).pid) for name in ENGINES]
    processes = engines + [child for engine in engines for child in engine.children(recursive=True)]
    assert sum(process.memory_info().rss for process in processes) < 4 * 1024**3


def test_two_machines_do_not_share_a_state(machine: Machine) -> None:
    other = MachineSettings(state=machine.settings.state).on_free_ports()
    with pytest.raises(EngineError, match="another machine runs on the state"):
        Machine(other, prepare, Console(quiet=True)).start()


def test_an_engine_that_dies_is_named(machine: Machine) -> None:
    engine = machine.engine("queues and schedules")
    engine.kill()
    try:
        with pytest.raises(EngineError, match="queues and schedules has died"):
            machine.wait()
    finally:
        engine.start()


def test_the_market_begins_with_the_admins_first_transaction(machine: Machine) -> None:
    admin = json.loads(machine.settings.environment_file.read_text())["CARBONMARKET_MARKET_ADDRESS"]
    node = machine.settings.node_url
    begins = first_version(node, admin)
    first = requests.get(f"{node}/transactions/by_version/{begins}", timeout=10).json()
    assert (first["sender"], first["sequence_number"]) == (admin, "0")
    assert first["payload"]["function"] == "0x1::code::publish_package_txn"


def test_a_machine_goes_on_where_it_was(machine: Machine) -> None:
    key = uuid.uuid4().hex
    put_object(machine, key)
    version = int(chain(machine)["ledger_version"])
    address = json.loads(machine.settings.environment_file.read_text())["CARBONMARKET_MARKET_ADDRESS"]

    machine.stop()
    assert [name for name, port in machine.settings.ports().items() if listens(port)] == []
    asked = CliRunner().invoke(main, ["rebuild", "--state", str(machine.settings.state)])
    assert (asked.exit_code, "start it with `carbonmarket up`" in asked.output) == (1, True)
    machine.start()

    s3 = client("s3", machine.settings.aws_url)
    assert s3.get_object(Bucket="carbonmarket-local-documents", Key=key)["Body"].read() == b"kept"
    assert int(chain(machine)["ledger_version"]) >= version
    again = json.loads(Path(machine.settings.environment_file).read_text())["CARBONMARKET_MARKET_ADDRESS"]
    assert again == address
