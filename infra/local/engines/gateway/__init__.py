"""API Gateway on one machine: the declared Chalice apps behind one port."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local.engines.process import Engine, answers
from infra.local.settings import LOOPBACK


def gateway(port: int, stage: str, environment: Mapping[str, str], log: Path) -> Engine:
    """The engine; ``environment`` is what the apps find in theirs."""
    return Engine(
        "HTTP gateway",
        [sys.executable, "-m", "infra.local.engines.gateway", "--port", port, "--stage", stage],
        log=log,
        port=port,
        healthy=lambda: answers(f"http://{LOOPBACK}:{port}/healthz"),
        environment={
            "POWERTOOLS_TRACE_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "CarbonMarket",
            **environment,
        },
    )
