"""The local Stripe server as tests start it, and an inbox for its webhooks."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
import stripe

from carbonmarket_adapters.payments_stripe import StripePayments
from infra.local.engines.stripe import stripe_server
from infra.local.settings import LOOPBACK, free_ports

KEY = "sk_test_of_the_tests"
WEBHOOK_SECRET = "whsec_of_the_tests"


class Provider:
    """A server with a state folder; it may be killed and started again on the same port and state."""

    def __init__(self, state: Path, webhook_url: str) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._engine = stripe_server(
            self.port,
            state / "stripe.sqlite",
            state / "log",
            webhook_url=webhook_url,
            webhook_secret=WEBHOOK_SECRET if webhook_url else "",
        )
        self.start, self.stop, self.kill = self._engine.start, self._engine.stop, self._engine.kill

    def client(self, key: str = KEY) -> stripe.StripeClient:
        return stripe.StripeClient(key, base_addresses={"api": self.url}, max_network_retries=0)

    def payments(self) -> StripePayments:
        return StripePayments(secret=lambda: KEY, webhook_secret=lambda: WEBHOOK_SECRET, api_base=self.url)

    def test(self, path: str, **form: Any) -> Any:
        """What a person, or time, does at the provider's side."""
        answer = requests.post(f"{self.url}/_test/{path}", data=form, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def authenticate(self, intent: str, outcome: str = "succeeded") -> None:
        self.test(f"payment_intents/{intent}/authentication", outcome=outcome)

    def ready_seller(self) -> str:
        account: str = self.client().v1.accounts.create({"type": "express", "country": "US"}).id
        self.test(f"accounts/{account}/onboarding", outcome="complete")
        return account


class Inbox:
    """A web server that keeps what is posted to it. While ``refuses`` is above zero it answers 500."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.refuses = 0
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if inbox.refuses > 0:
                    inbox.refuses -= 1
                    self.send_response(500)
                else:
                    inbox.received.append((body, self.headers["Stripe-Signature"]))
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}/hooks"

    def __enter__(self) -> Inbox:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, *needles: str) -> tuple[bytes, str]:
        """The first webhook whose body holds all of the needles."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for body, signature in list(self.received):
                if all(needle.encode() in body for needle in needles):
                    return body, signature
            time.sleep(0.02)
        raise AssertionError(f"no webhook with {needles} came")
