"""Reports of a registry that was made up, in the form of the real one."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from carbonmarket.importing import acr

_ROW = (
    "4/18/16",
    "ACR9001",
    "Example Cloud Forest (fictional)",
    "Example Woodlands Ltd",
    "Forest Carbon",
    "Version 1.0",
    "No",
    "No",
    "2015",
    "2016",
    "12500",
    "10000",
    "2500",
    "Exampleville",
    "OREGON",
    "US",
    "Climate Action",
    "Example Verification LLC",
    "",
)


def cell(column: str) -> str:
    """What a row says in a column."""
    return _ROW[acr.COLUMNS.index(column)]


def report(
    rows: int = 1,
    *,
    changes: Mapping[int, Mapping[str, str]] | None = None,
    serials: Sequence[str] = (),
) -> str:
    """So many rows, numbered from 1, with changed cells; with a column of serial numbers, a row for each."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    # The real header has a line break in this name.
    header = [name.replace("Issuance Year", "Issuance \nYear") for name in acr.COLUMNS]
    writer.writerow([*header, *(["Serial Number"] if serials else [])])
    for number in range(1, (len(serials) or rows) + 1):
        changed = (changes or {}).get(number, {})
        row = [changed.get(name, value) for name, value in zip(acr.COLUMNS, _ROW, strict=True)]
        writer.writerow([*row, *(serials[number - 1 : number])])
    return out.getvalue()
