"""Readings in one SQLite file that several processes share (write-ahead log)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from carbonmarket.ports.readings import EnergySums, Point

_SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    project TEXT NOT NULL, start_us INTEGER NOT NULL, device TEXT NOT NULL, seconds INTEGER NOT NULL,
    gateway TEXT NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
    measured BLOB NOT NULL, power_uw INTEGER, leaf BLOB NOT NULL, received_us INTEGER NOT NULL,
    PRIMARY KEY (project, start_us, device)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS readings_by_device ON readings (project, device, start_us);
"""
_COLUMNS = (
    "project, gateway, sequence, position, device, type, start_us, seconds, measured, leaf, received_us"
)
_INSERT = f"INSERT OR IGNORE INTO readings ({_COLUMNS}, power_uw) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
_PAGE_ROWS = 5_000
# Halves of a power that are added apart: SQLite's SUM fails above 63 bits, and 2^53 x 10^6 rows has 73.
_LOW_BITS = 20


class SqliteReadings:
    """The :class:`carbonmarket.ports.readings.ReadingsStore` in a file. Safe to share between threads."""

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A message leaves its queue once its readings are here, so they must survive a power cut.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def write(self, points: Sequence[Point]) -> None:
        rows = [
            (
                p.project,
                p.gateway,
                p.sequence,
                p.index,
                p.device,
                p.type,
                p.start_us,
                p.seconds,
                orjson.dumps(p.values),
                bytes.fromhex(p.leaf),
                p.received_us,
                p.values.get("power_uw"),
            )
            for p in points
        ]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(_INSERT, rows)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def range(
        self,
        project: str,
        *,
        device: str | None = None,
        from_us: int,
        to_us: int,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> Iterator[Point]:
        position = after or (from_us, "")
        while limit is None or limit > 0:
            page = _PAGE_ROWS if limit is None else min(limit, _PAGE_ROWS)
            where, values = _where(project, device, from_us, to_us)
            query = (
                f"SELECT {_COLUMNS} FROM readings WHERE {where} AND (start_us, device) > (?, ?)"  # noqa: S608
                " ORDER BY start_us, device LIMIT ?"
            )
            with self._lock:
                rows = self._connection.execute(query, [*values, *position, page]).fetchall()
            for row in rows:
                yield _point(row)
            if len(rows) < page:
                return
            position = (rows[-1][6], rows[-1][4])
            limit = None if limit is None else limit - len(rows)

    def energy(self, project: str, *, device: str | None = None, from_us: int, to_us: int) -> EnergySums:
        where, values = _where(project, device, from_us, to_us)
        mask = (1 << _LOW_BITS) - 1
        query = (
            f"SELECT seconds, power_uw > 0, COUNT(*), SUM(power_uw >> {_LOW_BITS}),"  # noqa: S608
            f" SUM(power_uw & {mask}), MIN(start_us) FROM readings WHERE {where} AND power_uw IS NOT NULL"
            " GROUP BY 1, 2"
        )
        with self._lock:
            groups = self._connection.execute(query, values).fetchall()
        count = positive = negative = 0
        for seconds, is_positive, rows, high, low, _ in groups:
            energy = seconds * ((high << _LOW_BITS) + low)
            count += rows
            if is_positive:
                positive += energy
            else:
                negative -= energy
        first = min((group[5] for group in groups), default=None)
        return EnergySums(count=count, positive_uj=positive, negative_uj=negative, first_us=first)

    def close(self) -> None:
        """Release the file; the store is of no use afterwards."""
        with self._lock:
            self._connection.close()


def _where(project: str, device: str | None, from_us: int, to_us: int) -> tuple[str, list[str | int]]:
    where = "project = ? AND start_us >= ? AND start_us < ?"
    values: list[str | int] = [project, from_us, to_us]
    if device is not None:
        where += " AND device = ?"
        values.append(device)
    return where, values


def _point(row: tuple[str, str, int, int, str, str, int, int, bytes, bytes, int]) -> Point:
    project, gateway, sequence, position, device, kind, start_us, seconds, measured, leaf, received_us = row
    return Point(
        project=project,
        gateway=gateway,
        sequence=sequence,
        index=position,
        device=device,
        type=kind,
        start_us=start_us,
        seconds=seconds,
        values=orjson.loads(measured),
        leaf=leaf.hex(),
        received_us=received_us,
    )
