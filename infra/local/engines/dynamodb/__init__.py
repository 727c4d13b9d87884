"""DynamoDB Local: Amazon's own engine, bound to loopback by a small Java launcher."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from infra.declarations import ROOT
from infra.local.engines.process import Engine, EngineError, answers
from infra.local.settings import LOOPBACK

EMULATOR = ROOT / "node_modules" / "amplify-dynamodb-simulator" / "emulator"
_LAUNCHER = Path(__file__).with_name("LoopbackDynamo.java")


def dynamodb(port: int, data: Path, log: Path) -> Engine:
    """The engine, its tables kept in the folder ``data``."""
    java = shutil.which("java")
    if java is None:
        raise EngineError(
            "DynamoDB Local needs JDK 17 or later: sudo apt-get install -y default-jdk-headless"
        )
    if not (EMULATOR / "DynamoDBLocal.jar").exists():
        raise EngineError(
            "DynamoDB Local is not installed (npm amplify-dynamodb-simulator): npm ci --ignore-scripts"
        )
    data.mkdir(parents=True, exist_ok=True)
    libraries = EMULATOR / "DynamoDBLocal_lib"
    return Engine(
        "DynamoDB Local",
        [
            java,
            # On a machine of few cores the second compiler and the parallel collector cost more than they
            # bring within the minutes that an engine lives: twice the processor time while it is young.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx512m",
            "-Djava.net.preferIPv4Stack=true",
            f"-Djava.library.path={libraries}",
            "-cp",
            os.pathsep.join([str(EMULATOR / "DynamoDBLocal.jar"), f"{libraries}/*"]),
            _LAUNCHER,
            *("-port", str(port), "-sharedDb", "-disableTelemetry", "-dbPath", str(data)),
        ],
        log=log,
        # It leaves a file of its own wherever it runs.
        folder=data,
        port=port,
        healthy=lambda: answers(f"http://{LOOPBACK}:{port}/shell/"),
    )
