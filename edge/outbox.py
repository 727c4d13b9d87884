"""What a gateway has signed and not delivered yet, in one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edge.sources import Measurement

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS raw (line INTEGER PRIMARY KEY, text TEXT NOT NULL, sequence INTEGER,
    fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL,
    line INTEGER NOT NULL, readings INTEGER NOT NULL);
INSERT OR IGNORE INTO progress VALUES (1, 0, 0, 0);
"""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The last sequence given out, the last line of the source that was read, the readings signed."""

    sequence: int
    line: int
    readings: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A signed message and the measurements it was made of; with sequence None there is no message, only
    rows that could not be read."""

    sequence: int | None
    payload: bytes
    measurements: tuple[Measurement, ...]


class Outbox:
    """Safe to share between threads; a killed process loses nothing that ``store`` returned from."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A sequence number that was sent must never be given out again, even after a power cut.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def progress(self) -> Progress:
        """How far the gateway has come."""
        with self._lock:
            row = self._connection.execute("SELECT sequence, line, readings FROM progress").fetchone()
        return Progress(sequence=row[0], line=row[1], readings=row[2])

    def store(self, entries: Sequence[Entry]) -> None:
        """Keep messages, their raw rows and the new progress, all or none."""
        messages = [(e.sequence, e.payload) for e in entries if e.sequence is not None]
        rows = [(m.line, m.raw, e.sequence, m.fault) for e in entries for m in e.measurements]
        signed = sum(len(e.measurements) for e in entries if e.sequence is not None)
        last = max((sequence for sequence, _ in messages), default=0)
        line = max((row[0] for row in rows), default=0)
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT INTO messages VALUES (?, ?)", messages)
            self._connection.executemany("INSERT INTO raw VALUES (?, ?, ?, ?)", rows)
            self._connection.execute(
                "UPDATE progress SET sequence = MAX(sequence, ?), line = MAX(line, ?),"
                " readings = readings + ?",
                (last, line, signed),
            )

    def waiting(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """(sequence, payload) of the oldest undelivered messages above a sequence."""
        query = "SELECT sequence, payload FROM messages WHERE sequence > ? ORDER BY sequence LIMIT ?"
        with self._lock:
            return self._connection.execute(query, (after, limit)).fetchall()

    def count(self) -> int:
        """How many messages are undelivered."""
        with self._lock:
            count: int = self._connection.execute("SELECT COUNT(*) FROM messages").fetchone()[0]
        return count

    def delivered(self, sequences: Iterable[int]) -> None:
        """Remove messages that the broker has acknowledged."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "DELETE FROM messages WHERE sequence = ?", [(sequence,) for sequence in sequences]
            )

    def faults(self) -> list[tuple[int, str, str]]:
        """(line, text, why) of the rows that could not be read."""
        with self._lock:
            query = "SELECT line, text, fault FROM raw WHERE fault <> '' ORDER BY line"
            return self._connection.execute(query).fetchall()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()
