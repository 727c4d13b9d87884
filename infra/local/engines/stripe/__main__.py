"""``python -m infra.local.engines.stripe``: a payment provider on one port of 127.0.0.1."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import click
from waitress import serve

from infra.local.engines.stripe.app import create_app
from infra.local.engines.stripe.context import Context
from infra.local.engines.stripe.store import Store
from infra.local.engines.stripe.webhooks import Webhooks
from infra.local.settings import LOOPBACK

SEVEN_DAYS_S = 7 * 86_400


@click.command()
@click.option("--port", required=True, type=int)
@click.option("--state", required=True, type=click.Path(dir_okay=False, path_type=Path), help="SQLite file.")
@click.option("--capture-window-s", default=SEVEN_DAYS_S, show_default=True, help="How long a card is held.")
@click.option("--webhook-url", default="", help="Where events go.")
@click.option(
    "--webhook-secret", default="", envvar="STRIPE_WEBHOOK_SECRET", help="What they are signed with."
)
def main(port: int, state: Path, capture_window_s: int, webhook_url: str, webhook_secret: str) -> None:
    """Serve Stripe's API until a signal comes."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if webhook_url and not webhook_secret:
        raise click.ClickException("--webhook-url needs a secret to sign with: set STRIPE_WEBHOOK_SECRET")
    store = Store(state)
    if webhook_url:
        Webhooks(store, webhook_url, webhook_secret).start()
    url = f"http://{LOOPBACK}:{port}"
    context = Context(store, url, capture_window_s, bool(webhook_url))
    serve(
        create_app(context),
        host=LOOPBACK,
        port=port,
        threads=4,
        ident=None,
        connection_limit=1_000,
        max_request_body_size=1024 * 1024,
    )


if __name__ == "__main__":
    main()
