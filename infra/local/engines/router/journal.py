"""What is known of sagas beyond the router's life: definitions, inputs, states."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNNING = "RUNNING"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS machines (
    arn TEXT PRIMARY KEY, name TEXT NOT NULL, definition TEXT NOT NULL, role TEXT NOT NULL, type TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS executions (
    arn TEXT PRIMARY KEY, machine TEXT NOT NULL, name TEXT NOT NULL, input TEXT NOT NULL,
    status TEXT NOT NULL, started REAL NOT NULL, stopped REAL, output TEXT, error TEXT, cause TEXT
);
CREATE INDEX IF NOT EXISTS executions_by_machine ON executions (machine, started);
"""


@dataclass(frozen=True)
class Execution:
    """One run of a saga; times are seconds since 1970."""

    arn: str
    machine: str
    name: str
    input: str
    status: str
    started: float
    stopped: float | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None


class Journal:
    """A SQLite file. An execution is written before it starts, so a killed router forgets none."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_SCHEMA)

    def save_machine(self, arn: str, name: str, definition: str, role: str, kind: str) -> None:
        """Keep a definition, the newest one."""
        self._run("INSERT OR REPLACE INTO machines VALUES (?, ?, ?, ?, ?)", arn, name, definition, role, kind)

    def delete_machine(self, arn: str) -> None:
        """Forget a definition; its executions stay."""
        self._run("DELETE FROM machines WHERE arn = ?", arn)

    def machines(self) -> list[dict[str, str]]:
        """Every definition: arn, name, definition, role, type."""
        keys = ("arn", "name", "definition", "role", "type")
        return [dict(zip(keys, row, strict=True)) for row in self._run("SELECT * FROM machines")]

    def has_machine(self, arn: str) -> bool:
        """Whether a definition is kept under the ARN."""
        return bool(self._run("SELECT 1 FROM machines WHERE arn = ?", arn))

    def begin(self, execution: Execution) -> bool:
        """Keep a new execution; False if its name was used before."""
        row = (execution.arn, execution.machine, execution.name, execution.input, RUNNING, execution.started)
        sql = (
            "INSERT OR IGNORE INTO executions (arn, machine, name, input, status, started) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING 1"
        )
        return bool(self._run(sql, *row))

    def finish(
        self,
        arn: str,
        status: str,
        output: str | None = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        """Keep how an execution ended; the first end counts."""
        self._run(
            "UPDATE executions SET status = ?, stopped = ?, output = ?, error = ?, cause = ? "
            "WHERE arn = ? AND status = 'RUNNING'",
            *(status, time.time(), output, error, cause, arn),
        )

    def execution(self, arn: str) -> Execution | None:
        """One execution."""
        rows = self._run("SELECT * FROM executions WHERE arn = ?", arn)
        return Execution(*rows[0]) if rows else None

    def executions(self, *, machine: str = "", status: str = "") -> list[Execution]:
        """Executions, the newest first."""
        sql = (
            "SELECT * FROM executions WHERE (? = '' OR machine = ?) AND (? = '' OR status = ?) "
            "ORDER BY started DESC"
        )
        return [Execution(*row) for row in self._run(sql, machine, machine, status, status)]

    def _run(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()
