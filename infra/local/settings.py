"""Where one machine keeps its state and which ports it takes."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from carbonmarket.settings import Settings
from infra.declarations import ROOT, resource_name

ACCOUNT = "000000000000"
REGION = "us-east-1"
LOOPBACK = "127.0.0.1"
# Programs need some credentials to sign with; the engines accept any.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, kw_only=True)
class MachineSettings:
    """State folder, stage and ports (each listens on 127.0.0.1 alone)."""

    state: Path = ROOT / "var" / "machine"
    stage: str = "local"
    gateway_port: int = 3000
    localnet_port: int = 8080
    faucet_port: int = 8081
    aws_port: int = 4566
    mqtt_port: int = 8883
    dynamodb_port: int = 8000
    ministack_port: int = 4567
    stripe_port: int = 4568
    chain_id: int = 4

    def ports(self) -> dict[str, int]:
        """Every port by its setting's name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name.endswith("_port")}

    def on_free_ports(self) -> MachineSettings:
        """The same machine on ports that nothing listens on now."""
        free: dict[str, Any] = dict(zip(self.ports(), free_ports(len(self.ports())), strict=True))
        return replace(self, **free)

    @property
    def aws_url(self) -> str:
        """What AWS_ENDPOINT_URL is set to."""
        return f"http://{LOOPBACK}:{self.aws_port}"

    @property
    def dynamodb_url(self) -> str:
        """DynamoDB Local itself, behind the router."""
        return f"http://{LOOPBACK}:{self.dynamodb_port}"

    @property
    def ministack_url(self) -> str:
        """ministack itself, behind the router."""
        return f"http://{LOOPBACK}:{self.ministack_port}"

    @property
    def stripe_url(self) -> str:
        """The payment provider's API."""
        return f"http://{LOOPBACK}:{self.stripe_port}"

    @property
    def node_url(self) -> str:
        """The chain's REST API."""
        return f"http://{LOOPBACK}:{self.localnet_port}/v1"

    @property
    def faucet_url(self) -> str:
        """The chain's faucet."""
        return f"http://{LOOPBACK}:{self.faucet_port}"

    @property
    def gateway_url(self) -> str:
        """The HTTP API."""
        return f"http://{LOOPBACK}:{self.gateway_port}"

    @property
    def environment_file(self) -> Path:
        """The JSON file that holds what every function finds in its environment."""
        return self.state / "environment.json"

    def market_settings(self, market_address: str, quote_asset: str = "") -> Settings:
        """What the functions are told on this machine; ``quote_asset`` is the test USDC's metadata."""
        return Settings(
            stage=self.stage,
            aws_region=REGION,
            aws_endpoint_url=self.aws_url,
            aptos_node_url=self.node_url,
            chain_id=self.chain_id,
            market_address=market_address,
            public_url=self.gateway_url,
            readings_store=f"sqlite:///{self.state / 'readings.sqlite'}",
            signer="file",
            key_directory=str(self.state / "keys"),
            salt_secret=resource_name(self.stage, "evidence-salt"),
            quote_asset=quote_asset,
            stripe_api_base=self.stripe_url,
            stripe_secret=resource_name(self.stage, "stripe-secret"),
            stripe_webhook_secret=resource_name(self.stage, "stripe-webhook"),
            device_authority=str(self.state / "ca"),
            device_endpoint=f"{LOOPBACK}:{self.mqtt_port}",
            # A million transactions, each counted at its cap: coins are play money here.
            sponsor_daily_gas_budget=200_000_000_000,
            sponsor_account_gas_budget=20_000_000_000,
            authorizer="development",
            development_key=self._development_key(),
        )

    def _development_key(self) -> str:
        path = self.state / "development.key"
        if not path.exists():
            self.state.mkdir(parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that are free now; held together while they are chosen, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def base_environment() -> dict[str, str]:
    """This process' environment without what could lead an engine or a function to a real AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return {
        **kept,
        **CREDENTIALS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "PYTHONUNBUFFERED": "1",
    }
