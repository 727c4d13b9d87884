"""The router: the one AWS endpoint of this machine, which sends each call to its engine."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.local.engines.process import Engine, answers
from infra.local.settings import MachineSettings


def router(settings: MachineSettings, log: Path, functions: str = "") -> Engine:
    """The engine. ``functions`` may name a module whose FUNCTIONS are run instead of the declared ones."""
    command = [sys.executable, "-m", "infra.local.engines.router", "--state", str(settings.state)]
    command += ["--stage", settings.stage, "--port", str(settings.aws_port)]
    command += ["--dynamodb", settings.dynamodb_url, "--ministack", settings.ministack_url]
    if functions:
        command += ["--functions", functions]
    return Engine(
        "AWS endpoint",
        command,
        log=log,
        port=settings.aws_port,
        healthy=lambda: answers(f"{settings.aws_url}/_router/health"),
    )
