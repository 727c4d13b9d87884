"""ministack: S3, SQS, KMS, Secrets Manager and the rest of AWS that has no better engine here."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.local.engines.process import Engine, answers
from infra.local.settings import LOOPBACK, REGION


def ministack(port: int, state: Path, log: Path) -> Engine:
    """The engine; the URLs it hands out name the host that was asked, so the router's."""
    for folder in ("state", "objects"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    return Engine(
        "ministack",
        [sys.executable, "-m", "infra.local.engines.ministack"],
        log=log,
        port=port,
        healthy=lambda: answers(f"http://{LOOPBACK}:{port}/_ministack/health"),
        environment={
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "objects"),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        },
    )
