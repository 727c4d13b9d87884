"""What invokes functions by itself: messages of queues, and the clock."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.local.engines.process import Engine


def events(stage: str, aws_url: str, state: Path, log: Path) -> Engine:
    """The process of pollers and scheduler; healthy once they run."""
    ready = state / "events.ready"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra.local.engines.events", "--stage", stage, "--aws", aws_url]
    return Engine("queues and schedules", [*command, "--ready", ready], log=log, healthy=ready.exists)
