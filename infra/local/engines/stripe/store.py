"""The server's state: objects as JSON, answers by idempotency key, and webhooks still to be delivered.

SQLite with a write-ahead log, one transaction a request: what was answered survives a kill.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Object = dict[str, Any]
_ALPHABET = string.ascii_letters + string.digits
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, created INTEGER NOT NULL,
    body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_kind ON objects (kind, number);
CREATE INDEX IF NOT EXISTS by_status ON objects (kind, json_extract(body, '$.status'));
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, created INTEGER NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, event TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL NOT NULL);
CREATE TABLE IF NOT EXISTS clock (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), ahead_s INTEGER);
"""
ANSWERS_KEPT_S = 24 * 3600


class Store:
    """All that the server keeps. Its methods are called within :meth:`transaction`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One request at a time, wholly kept or not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def now(self) -> int:
        """The server's time in Unix seconds: the computer's and what it was put ahead by."""
        row = self._db.execute("SELECT ahead_s FROM clock").fetchone()
        return int(time.time()) + (row[0] if row else 0)

    def put_ahead(self, seconds: int) -> None:
        """Let the server's clock go ``seconds`` ahead of where it is."""
        self._db.execute(
            "INSERT INTO clock VALUES (1, ?) ON CONFLICT (only_one) DO UPDATE SET ahead_s = ahead_s + ?",
            (seconds, seconds),
        )

    def put(self, thing: Object) -> Object:
        """Keep an object by its id."""
        self._db.execute(
            "INSERT INTO objects (id, kind, created, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (thing["id"], thing["object"], thing["created"], json.dumps(thing)),
        )
        return thing

    def get(self, id: str, kind: str | None = None) -> Object | None:
        """The object of an id, and of a kind where that is given."""
        row = self._db.execute("SELECT kind, body FROM objects WHERE id = ?", (id,)).fetchone()
        if row is None or kind not in {None, row[0]}:
            return None
        found: Object = json.loads(row[1])
        return found

    def find(self, kind: str, *, status: str | None = None) -> Iterator[Object]:
        """Objects of a kind, newest first; those of a status where that is given."""
        sql, values = "SELECT body FROM objects WHERE kind = ?", [kind]
        if status is not None:
            sql, values = sql + " AND json_extract(body, '$.status') = ?", [kind, status]
        rows = self._db.execute(sql + " ORDER BY number DESC", values)
        return (json.loads(body) for (body,) in rows.fetchall())

    def net_of(self, currency: str) -> int:
        """The sum of all balance transactions' net in a currency."""
        (total,) = self._db.execute(
            "SELECT COALESCE(SUM(json_extract(body, '$.net')), 0) FROM objects "
            "WHERE kind = 'balance_transaction' AND json_extract(body, '$.currency') = ?",
            (currency,),
        ).fetchone()
        return int(total)

    def answer(self, key: str) -> tuple[str, int, str] | None:
        """(request, status, body) that an idempotency key stands for."""
        self._db.execute("DELETE FROM answers WHERE created < ?", (self.now() - ANSWERS_KEPT_S,))
        row: tuple[str, int, str] | None = self._db.execute(
            "SELECT request, status, body FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return row

    def put_answer(self, key: str, request: str, status: int, body: str) -> None:
        """Keep an answer by its idempotency key."""
        self._db.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?)", (key, request, self.now(), status, body)
        )

    def deliver(self, event: str) -> None:
        """Have an event sent to the webhook."""
        self._db.execute("INSERT INTO deliveries (event, attempts, due) VALUES (?, 0, 0)", (event,))

    def due(self, at: float) -> list[tuple[int, str, int]]:
        """(number, event's id, attempts so far) of what is to be delivered now, in order of time."""
        return self._db.execute(
            "SELECT number, event, attempts FROM deliveries WHERE due <= ? ORDER BY number LIMIT 50", (at,)
        ).fetchall()

    def delivered(self, number: int) -> None:
        """Forget a delivery that was made or given up."""
        self._db.execute("DELETE FROM deliveries WHERE number = ?", (number,))

    def postpone(self, number: int, due: float) -> None:
        """Try a delivery again later."""
        self._db.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due = ? WHERE number = ?", (due, number)
        )


def new_id(prefix: str) -> str:
    """An id in Stripe's form: pi_ and 24 letters and digits."""
    return prefix + "_" + "".join(secrets.choice(_ALPHABET) for _ in range(24))
