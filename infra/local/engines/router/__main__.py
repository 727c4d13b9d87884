"""``python -m infra.local.engines.router``: the AWS endpoint, with the functions' processes below it."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click
from waitress.server import create_server

from infra.declarations import Function, declarations
from infra.local.settings import ACCOUNT, LOOPBACK, free_ports

_START = "Start the machine with `carbonmarket up`"
# Each function's process keeps a connection for every service it uses; at waitress' 100 the next one hangs.
_MANY_CONNECTIONS: dict[str, Any] = {"connection_limit": 5_000, "asyncore_use_poll": True}


@click.command()
@click.option("--state", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--stage", required=True)
@click.option("--port", required=True, type=int)
@click.option("--dynamodb", required=True, help="DynamoDB Local's URL.")
@click.option("--ministack", required=True, help="ministack's URL.")
@click.option("--functions", default="", help="A module with FUNCTIONS to run instead of the declared ones.")
def main(state: Path, stage: str, port: int, dynamodb: str, ministack: str, functions: str) -> None:
    """Serve AWS on 127.0.0.1."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    # Some of moto reads these when it is imported.
    os.environ["MOTO_PORT"] = str(port)
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
    from infra.local.engines.lambdas.api import InvokeApi
    from infra.local.engines.lambdas.pool import Pool
    from infra.local.engines.router.app import Router, Upstream
    from infra.local.engines.router.journal import Journal
    from infra.local.engines.router.sagas import Sagas

    environment_file = state / "environment.json"
    pool = Pool(
        _functions(functions, stage), stage=stage, environment_file=environment_file, logs=state / "logs"
    )
    invoke = InvokeApi(pool)
    (lambda_port,) = free_ports(1)
    sagas = Sagas(
        Journal(state / "sagas.sqlite"), f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{lambda_port}"
    )
    router = Router(
        invoke,
        sagas,
        Upstream("DynamoDB Local", dynamodb, _START),
        Upstream("ministack", ministack, _START),
    )
    inner = create_server(invoke, host=LOOPBACK, port=lambda_port, threads=64, **_MANY_CONNECTIONS)
    threading.Thread(target=inner.run, daemon=True, name="lambda").start()
    outer = create_server(
        router,
        host=LOOPBACK,
        port=port,
        threads=64,
        max_request_body_size=5 * 1024**3,
        channel_timeout=1200,
        **_MANY_CONNECTIONS,
    )
    threading.Thread(target=sagas.resume, args=(environment_file,), daemon=True, name="resume").start()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        pool.stop()
        sys.stdout.flush()
        # The interpreter's threads may wait for a token for days; the journal has what they run.
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    outer.run()


def _functions(module: str, stage: str) -> tuple[Function, ...]:
    if not module:
        return declarations(stage).all_functions()
    functions: tuple[Function, ...] = importlib.import_module(module).FUNCTIONS
    return functions


if __name__ == "__main__":
    main()
