"""Stripe's API on one machine: our own server, which the ``stripe`` package talks to over HTTP.

Payment intents with manual capture, declines and 3-D Secure by Stripe's test payment methods, refunds,
disputes, balance transactions, connected accounts and transfers, events and signed webhooks. What it does not
know it refuses as Stripe would refuse an unknown parameter.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.local.engines.process import Engine, answers
from infra.local.settings import LOOPBACK


def stripe_server(
    port: int, state: Path, log: Path, *, webhook_url: str = "", webhook_secret: str = ""
) -> Engine:
    """The engine. Events go to ``webhook_url``, signed with ``webhook_secret``; nowhere without one."""
    command: list[str | int | Path] = [sys.executable, "-m", "infra.local.engines.stripe", "--port", port]
    command += ["--state", state]
    if webhook_url:
        command += ["--webhook-url", webhook_url]
    return Engine(
        "Stripe server",
        command,
        log=log,
        port=port,
        healthy=lambda: answers(f"http://{LOOPBACK}:{port}/healthz"),
        environment={"STRIPE_WEBHOOK_SECRET": webhook_secret},
    )
