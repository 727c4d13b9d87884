"""Runs the whole machine: engines, contracts, functions."""

from __future__ import annotations

import os
import signal
from types import FrameType

import requests
from rich.console import Console

from carbonmarket.settings import Settings
from infra import frontend_config
from infra.declarations import ROOT
from infra.local.machine import Machine
from infra.local.settings import CREDENTIALS, MachineSettings


def prepare(machine: Machine) -> Settings:
    """Put the market on the machine's chain; what a web client is told of it lies in the machine's state.

    A machine whose state is in this checkout, as that of `make up` is, also tells those who build a client
    here: any other, a test's above all, leaves the checkout as it is.
    """
    settings = publish_market(machine)
    state, config = machine.settings.state, frontend_config.of_machine(settings)
    frontend_config.write(config, state)
    if state.is_relative_to(ROOT):
        frontend_config.write(config)
    return settings


def publish_market(machine: Machine) -> Settings:
    """Put the market on the machine's chain; returns what its functions are told."""
    from carbonmarket_adapters.aptos.signers import FileSigner
    from carbonmarket_adapters.wiring import chain, money
    from infra.bootstrap import admin_address, bootstrap, test_usdc_address

    keys = FileSigner(machine.settings.state / "keys")
    settings = machine.settings.market_settings(admin_address(keys), test_usdc_address(keys))
    # Wiring reads the environment, here as in a function.
    os.environ.update(settings.to_env(), **CREDENTIALS)
    bootstrap(
        chain=chain.chain_access(),
        signer=chain.signer(),
        settings=settings,
        ledger=money.ledger(),
        fund=lambda account, octas: fund(machine.settings.faucet_url, account, octas),
    )
    return settings


def fund(faucet_url: str, account: str, octas: int) -> None:
    """Let the chain's faucet give an account coins for its fees."""
    query: dict[str, str | int] = {"address": account, "amount": octas}
    requests.post(f"{faucet_url}/mint", params=query, timeout=30).raise_for_status()


def run_until_interrupted(settings: MachineSettings) -> None:
    """Start everything, say where it is, and stop in order at Ctrl-C or SIGTERM."""
    console = Console()

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        with Machine(settings, prepare, console) as machine:
            console.print(f"\n[bold]The market is open at {settings.gateway_url}[/bold]")
            for name, where in (
                ("chain", settings.node_url),
                ("faucet", settings.faucet_url),
                ("AWS", settings.aws_url),
                ("Stripe", settings.stripe_url),
                ("MQTT", f"127.0.0.1:{settings.mqtt_port}"),
                ("state and logs", str(settings.state)),
            ):
                console.print(f"  {name:<15}{where}")
            console.print("Ctrl-C stops it; the state stays.\n")
            machine.wait()
    except KeyboardInterrupt:
        console.print("Stopped.")
