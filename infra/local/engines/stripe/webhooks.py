"""Events to one URL, signed by Stripe's scheme, again and again until they are taken."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time

import urllib3

from infra.local.engines.stripe.store import Store

ATTEMPTS_MAX = 16
_WAIT_S_MAX = 300
_IDLE_S = 0.1
_log = logging.getLogger(__name__)


def signature(payload: bytes, secret: str, at: int) -> str:
    """The header Stripe-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<payload>" in hex>."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256)
    return f"t={at},v1={digest.hexdigest()}"


class Webhooks:
    """Delivers what the store has due; a failure waits 1, 2, 4 … 300 s, and is given up after 16."""

    def __init__(self, store: Store, url: str, secret: str) -> None:
        self._store = store
        self._url = url
        self._secret = secret
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=20), retries=False)

    def start(self) -> None:
        """Deliver in a thread of its own until the process ends."""
        threading.Thread(target=self._run, daemon=True, name="webhooks").start()

    def _run(self) -> None:
        while True:
            try:
                if not self.deliver_due():
                    time.sleep(_IDLE_S)
            except Exception:
                _log.exception("webhooks could not be delivered")
                time.sleep(1)

    def deliver_due(self) -> int:
        """Try everything that is due once; how many were tried."""
        with self._store.transaction():
            due = self._store.due(time.time())
        for number, event, attempts in due:
            taken = self._send(event)
            with self._store.transaction():
                if not taken and attempts + 1 < ATTEMPTS_MAX:
                    self._store.postpone(number, time.time() + min(2**attempts, _WAIT_S_MAX))
                    continue
                self._store.delivered(number)
                if not taken:
                    _log.warning("event %s was given up after %s attempts", event, ATTEMPTS_MAX)
        return len(due)

    def _send(self, id: str) -> bool:
        with self._store.transaction():
            event = self._store.get(id)
        payload = json.dumps(event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self._secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (local)",
        }
        try:
            answer = self._http.request("POST", self._url, body=payload, headers=headers)
        except urllib3.exceptions.HTTPError:
            return False
        return 200 <= answer.status < 300
