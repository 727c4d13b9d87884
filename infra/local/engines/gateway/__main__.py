"""``python -m infra.local.engines.gateway``: the declared HTTP apps on one port."""

from __future__ import annotations

import importlib
import signal

import click
from waitress import serve

from infra.declarations import declarations, resource_name
from infra.local.engines.gateway.app import BODY_BYTES_MAX, AppGateway, Gateway, GatewayRefused
from infra.local.engines.lambdas import held
from infra.local.settings import LOOPBACK


@click.command()
@click.option("--port", required=True, type=int)
@click.option("--stage", required=True)
def main(port: int, stage: str) -> None:
    """Serve the API on 127.0.0.1 until a signal comes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    held.install()
    try:
        apps = {
            app.name: AppGateway(
                getattr(importlib.import_module(app.module), app.attribute),
                resource_name(stage, app.name),
                app.timeout_seconds,
                held.full_names(app.grants, resource_name(stage, "")),
            )
            for app in declarations(stage).http_apps
        }
        gateway = Gateway(apps)
    except (ImportError, AttributeError, GatewayRefused) as error:
        raise click.ClickException(f"the HTTP apps cannot be served: {error}") from error
    serve(
        gateway,
        host=LOOPBACK,
        port=port,
        threads=16,
        max_request_body_size=BODY_BYTES_MAX,
        ident=None,
        # Clients keep connections open, and at waitress' 100 the next client hangs.
        connection_limit=5_000,
        asyncore_use_poll=True,
    )


if __name__ == "__main__":
    main()
