"""Engines say what is wrong with them, and the machine what it lacks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.declarations import ROOT
from infra.local.engines import dynamodb as dynamodb_engine
from infra.local.engines.mqtt import broker as broker_engine
from infra.local.engines.process import Engine, EngineError
from infra.local.preflight import preflight
from infra.local.settings import LOOPBACK
from tests.infra_local.conftest import eventually


def test_an_engine_that_ends_at_its_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the port is cursed')"]
    engine = Engine("Some engine", command, log=tmp_path / "log", healthy=lambda: False)
    with pytest.raises(EngineError, match="Some engine ended with code 1 at its start:\nthe port is cursed"):
        engine.start()


def test_an_engine_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        engine = Engine("Some engine", ["true"], log=tmp_path / "log", healthy=lambda: False, port=port)
        with pytest.raises(EngineError, match=f"something already listens on {LOOPBACK}:{port}"):
            engine.start()


def test_an_engine_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    engine = Engine(
        "Some engine", ["sleep", "600"], log=tmp_path / "log", healthy=lambda: False, start_seconds_max=0.1
    )
    with pytest.raises(EngineError, match="did not answer"):
        engine.start()
    assert not engine.alive()


def test_engines_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
from infra.local.engines.process import Engine
engine = Engine("child", ["sleep", "600"], log=Path({str(tmp_path / "log")!r}), healthy=lambda: True)
engine.start()
print(engine.pid, flush=True)
time.sleep(600)
"""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    child = int(supervisor.stdout.readline())
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    supervisor.stdout.close()
    eventually(lambda: has_ended(child))


def has_ended(pid: int) -> bool:
    """Gone, or a zombie: one that has ended and that the system's init has not collected yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_missing_broker_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_engine.shutil, "which", lambda *_, **__: None)
    with pytest.raises(EngineError, match="mosquitto 2 is not installed: sudo apt-get install -y mosquitto"):
        broker_engine.find_mosquitto()


def test_a_missing_dynamodb_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dynamodb_engine, "EMULATOR", tmp_path)
    with pytest.raises(EngineError, match=r"DynamoDB Local is not installed .* npm ci"):
        dynamodb_engine.dynamodb(1, tmp_path / "data", tmp_path / "log")


def test_preflight_names_everything_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(broker_engine, "PLACES", ())
    named = {missing.name for missing in preflight()}
    assert {"git", "make", "Node 20 or later", "JDK 17 or later", "mosquitto 2"} <= named


def test_preflight_finds_nothing_missing_here() -> None:
    assert preflight() == []
