"""Starts and ends the localnet: one process, two ports on loopback, one state file."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from infra.local.chain import genesis
from infra.local.chain.blocks import BlockMaker
from infra.local.chain.faucet import Faucet
from infra.local.chain.ledger import Ledger
from infra.local.chain.rest import FaucetApp, NodeApp
from infra.local.chain.state import Store

HOST = "127.0.0.1"
CHAIN_ID = 4
"""Aptos' number for local networks."""


class PortTaken(RuntimeError):
    """Another program listens on the port."""


class _Server(uvicorn.Server):
    """Leaves signals to ``serve``, which ends both servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"Port {port} of {HOST} cannot be used: {error.strerror}.") from None
    return listener


def open_ledger(state_path: str | Path, chain_id: int = CHAIN_ID) -> Ledger:
    """The chain of a state file, begun if the file is new."""
    ledger = Ledger(Store(state_path), chain_id)
    if ledger.store.last_block() is None:
        genesis.begin(ledger)
    return ledger


def serve(
    port: int,
    faucet_port: int,
    state_path: str | Path,
    chain_id: int = CHAIN_ID,
    ready: Callable[[str, str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then end cleanly.

    Port 0 takes a free one. ``ready`` is called once with the node's URL (ending in /v1) and the faucet's.
    Raises PortTaken, StateInUse, WrongChain, MoveLibraryMissing or GenesisFailed.
    """
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(_listen(number)) for number in (port, faucet_port)]
        ledger = open_ledger(state_path, chain_id)
        stack.callback(ledger.close)
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_serve(ledger, listeners, ready))


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


async def _serve(
    ledger: Ledger, listeners: list[socket.socket], ready: Callable[[str, str], None] | None
) -> None:
    blocks = BlockMaker(ledger)
    apps: list[Any] = [NodeApp(ledger, blocks), FaucetApp(Faucet(ledger, blocks))]
    servers = [
        _Server(
            uvicorn.Config(
                app,
                http="httptools",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        for app in apps
    ]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    making = asyncio.create_task(blocks.run())
    # A chain that cannot commit must not go on answering.
    making.add_done_callback(lambda _task: stop())
    serving = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip(servers, listeners, strict=True)
    ]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.005)
    if ready is not None:
        node, faucet = (f"http://{HOST}:{listener.getsockname()[1]}" for listener in listeners)
        ready(f"{node}/v1", faucet)
    await asyncio.gather(*serving)
    if making.done():
        making.result()
    making.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await making
