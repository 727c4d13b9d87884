"""`carbonmarket up` resumes what was left, and a machine that could only stand still refuses to start."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console

from infra import declarations
from infra.declarations import ROOT
from infra.local.engines.process import EngineError, listens
from infra.local.machine import Machine
from infra.local.run import prepare
from infra.local.settings import MachineSettings
from tests.e2e.market import Market

PROGRAM = Path(sys.executable).parent / "carbonmarket"


@pytest.fixture
def held(market: Market) -> int:
    """Grams that the developer holds of August's batch while the machine runs."""
    return market.holding(market.told.cast.developer, market.told.batches["2016-08"]["id"])


@pytest.fixture
def left(market: Market, held: int) -> Iterator[Market]:
    """The market whose machine has stopped; its state stays."""
    market.machine.stop()
    yield market
    market.machine.start()


def up(market: Market) -> subprocess.Popen[str]:
    """`carbonmarket up` on the state and the ports of that machine."""
    settings = market.machine.settings
    command = [str(PROGRAM), "up", "--state", str(settings.state)]
    for name, port in settings.ports().items():
        command += ["--" + name.replace("_", "-"), str(port)]
    # Tests behind a shell's "&" ignore it, and a process that is started inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=market.out
        )
    finally:
        signal.signal(signal.SIGINT, before)


def printed_until(output: IO[str], words: str) -> str:
    """What is printed up to the line with the words; all of it if they never come."""
    text = ""
    for line in output:
        text += line
        if words in line:
            break
    return text


def test_up_says_where_it_is_goes_on_where_it_was_and_ends_at_ctrl_c(left: Market, held: int) -> None:
    settings, cast = left.machine.settings, left.told.cast
    machine = up(left)
    try:
        assert machine.stdout is not None
        told = printed_until(machine.stdout, "Ctrl-C stops it")
        for where in (settings.gateway_url, settings.node_url, settings.aws_url, str(settings.mqtt_port)):
            assert where in told
        august = left.told.batches["2016-08"]
        assert left.holding(cast.developer, august["id"]) == held > 0
        certificate = cast.public.ask("GET", f"/v1/certificates/{left.told.retirement['id']}")
        assert certificate.content == left.certificate.read_bytes()
    finally:
        machine.send_signal(signal.SIGINT)
        rest, _ = machine.communicate(timeout=120)
    assert (machine.returncode, "Traceback" in rest) == (0, False), rest
    assert "Stopped." in rest
    assert [name for name, port in settings.ports().items() if listens(port)] == []


@pytest.mark.parametrize("deleted", sorted(path.name for path in (ROOT / "iot_rules").glob("*.json")))
def test_without_a_rules_file_the_machine_refuses_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: str
) -> None:
    shutil.copytree(ROOT / "iot_rules", tmp_path / "iot_rules")
    (tmp_path / "iot_rules" / deleted).unlink()
    monkeypatch.setattr(declarations, "ROOT", tmp_path)
    settings = MachineSettings(state=tmp_path / "machine").on_free_ports()
    machine = Machine(settings, prepare, Console(quiet=True))
    with pytest.raises(EngineError, match="no rule in iot_rules/ sends to queue readings"):
        machine.start()
    assert [name for name, port in settings.ports().items() if listens(port)] == []
