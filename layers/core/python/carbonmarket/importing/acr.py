"""The American Carbon Registry's report of credits issued, as its site exports it: CSV with a header.

Dates are month/day/year; a header may hold a line break ("Issuance \\nYear"). The report has no serial
numbers, so an issuance is named by what tells it from all others: project, vintage, day, total, and a running
number where rows agree in all of these. Where a column of serial numbers is present, that one is kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from carbonmarket.errors import InvalidInput
from carbonmarket.importing.records import Issuance, RegistryFile, RejectedRow
from carbonmarket.quantities import BATCH_GRAMS_MAX
from carbonmarket.times import MICROSECONDS

REGISTRY = "ACR"
GRAMS_PER_CREDIT = 1_000_000
SERIAL_COLUMNS = ("Serial Number", "Serial Numbers", "Credit Serial Numbers", "Offset Credit Serial Numbers")
COLUMNS = (
    "Date Issued",
    "Project ID",
    "Project Name",
    "Project Developer",
    "Project Type",
    "Protocol Version",
    "ARB Eligible",
    "CORSIA Qualified",
    "Vintage",
    "Issuance Year",
    "Total Credits Issued",
    "Credits Issued to Project",
    "Credits Issued to Buffer Pool",
    "Project Site Location",
    "Project Site State",
    "Project Site Country",
    "Additional Certification(s)",
    "Verifier",
    "Project Website",
)
_REJECT_COLUMNS = ("row", "field", "reason")
_PROJECT = re.compile(r"[A-Z]{2,6}[0-9]{1,10}")
_COUNT = re.compile(r"[0-9]{1,3}(,[0-9]{3})*|[0-9]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DAY = re.compile(r"\d{1,2}/\d{1,2}/(\d{2}|\d{4})")
_VINTAGE_FIRST = 1990
_SERIAL = re.compile(r"[!-~]([ -~]{0,254}[!-~])?")
_TEXT_BYTES_MAX = 256


def read(text: str) -> RegistryFile:
    """Every row of the report, as an issuance or as a reject.

    InvalidInput (field ``file``) if it isn't such a report: no header, or columns that are missing.
    """
    # A file that was saved by a spreadsheet may begin with a byte order mark.
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    header = [" ".join(name.split()) for name in next(reader, [])]
    if missing := [name for name in COLUMNS if name not in header]:
        raise InvalidInput(
            f"the file is no report of issued credits: it lacks the columns {', '.join(missing)}",
            field="file",
        )
    rows = [(number, cells) for number, cells in enumerate(filter(any, reader), 1)]
    return _sorted_out(header, rows)


def _sorted_out(header: list[str], rows: Iterable[tuple[int, list[str]]]) -> RegistryFile:
    issuances: list[Issuance] = []
    rejects: list[RejectedRow] = []
    alike: Counter[str] = Counter()
    taken: dict[str, int] = {}
    for number, cells in rows:
        values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        try:
            _check_width(header, cells)
            issuance = _issuance(number, values, alike)
            if issuance.serial in taken:
                raise InvalidInput(
                    f"row {taken[issuance.serial]} has this serial number already", field="Serial Number"
                )
        except InvalidInput as wrong:
            rejects.append(
                RejectedRow(row=number, field=wrong.field or "", reason=wrong.reason, values=values)
            )
            continue
        taken[issuance.serial] = number
        issuances.append(issuance)
    return RegistryFile(issuances=tuple(issuances), rejects=tuple(rejects))


def _check_width(header: list[str], cells: list[str]) -> None:
    if len(cells) != len(header):
        raise InvalidInput(
            f"the row has {len(cells)} cells, and the header {len(header)} columns", field="row"
        )


def _issuance(number: int, values: Mapping[str, str], alike: Counter[str]) -> Issuance:
    project = _matching(values, "Project ID", _PROJECT, "letters and digits such as ACR102")
    day = _day(values["Date Issued"])
    vintage = _vintage(values["Vintage"], day)
    if values["Issuance Year"] != str(day.year):
        raise InvalidInput(f"the year of Date Issued is {day.year}", field="Issuance Year")
    total, to_project, to_buffer = (_count(values, name) for name in COLUMNS[10:13])
    if total != to_project + to_buffer:
        raise InvalidInput(
            f"the project's {to_project} and the buffer's {to_buffer} make {to_project + to_buffer}",
            field="Total Credits Issued",
        )
    if total == 0:
        raise InvalidInput("no credits were issued", field="Total Credits Issued")
    if total * GRAMS_PER_CREDIT > BATCH_GRAMS_MAX:
        raise InvalidInput("more grams than a batch can hold", field="Total Credits Issued")
    return Issuance(
        row=number,
        registry=REGISTRY,
        serial=_serial(values, f"{project}-{vintage}-{day:%Y%m%d}-{total}", alike),
        project=project,
        project_name=_filled(values, "Project Name"),
        developer=_filled(values, "Project Developer"),
        project_type=_filled(values, "Project Type"),
        protocol=values["Protocol Version"],
        vintage=vintage,
        issued_us=int(day.timestamp()) * MICROSECONDS,
        grams=total * GRAMS_PER_CREDIT,
        grams_project=to_project * GRAMS_PER_CREDIT,
        grams_buffer=to_buffer * GRAMS_PER_CREDIT,
        country=_matching(values, "Project Site Country", _COUNTRY, "two capital letters"),
        location=", ".join(filter(None, (values["Project Site Location"], values["Project Site State"]))),
        certifications=tuple(
            filter(None, (part.strip() for part in values["Additional Certification(s)"].split(";")))
        ),
        verifier=values["Verifier"],
        website=values["Project Website"],
        arb_eligible=_yes(values, "ARB Eligible"),
        corsia_qualified=_yes(values, "CORSIA Qualified"),
    )


def _serial(values: Mapping[str, str], key: str, alike: Counter[str]) -> str:
    for column in SERIAL_COLUMNS:
        if given := values.get(column):
            if not _SERIAL.fullmatch(given):
                raise InvalidInput("must be at most 256 printable ASCII characters", field=column)
            return given
    alike[key] += 1
    return f"{key}-{alike[key]}"


def _day(text: str) -> datetime:
    match = _DAY.fullmatch(text)
    if match:
        try:
            form = "%m/%d/%Y" if len(match[1]) == 4 else "%m/%d/%y"
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise InvalidInput(
        f"must be a day as month/day/year, such as 8/22/12, not {text[:20]!r}", field="Date Issued"
    )


def _vintage(text: str, issued: datetime) -> int:
    if not re.fullmatch(r"\d{4}", text) or not _VINTAGE_FIRST <= int(text) <= issued.year:
        raise InvalidInput(
            f"must be a year from {_VINTAGE_FIRST} to that of the issuance, {issued.year}, not {text[:20]!r}",
            field="Vintage",
        )
    return int(text)


def _count(values: Mapping[str, str], column: str) -> int:
    text = values[column]
    if not _COUNT.fullmatch(text):
        raise InvalidInput(f"must be a whole number of credits, not {text[:20]!r}", field=column)
    return int(text.replace(",", ""))


def _matching(values: Mapping[str, str], column: str, form: re.Pattern[str], words: str) -> str:
    text = values[column]
    if not form.fullmatch(text):
        raise InvalidInput(f"must be {words}, not {text[:20]!r}", field=column)
    return text


def _filled(values: Mapping[str, str], column: str) -> str:
    if not values[column]:
        raise InvalidInput("must not be empty", field=column)
    if len(values[column].encode()) > _TEXT_BYTES_MAX:
        raise InvalidInput(f"must be at most {_TEXT_BYTES_MAX} bytes", field=column)
    return values[column]


def _yes(values: Mapping[str, str], column: str) -> bool:
    if values[column] not in {"Yes", "No"}:
        raise InvalidInput(f"must be Yes or No, not {values[column][:20]!r}", field=column)
    return values[column] == "Yes"


def rejects_csv(rejects: Iterable[RejectedRow]) -> str:
    """The rejected rows as CSV: row number, field and reason, then the row as it was read."""
    listed = list(rejects)
    columns = list(dict.fromkeys(name for reject in listed for name in reject.values))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_REJECT_COLUMNS, *columns])
    for reject in listed:
        cells = (reject.values.get(name, "") for name in columns)
        writer.writerow([reject.row, reject.field, reject.reason, *cells])
    return out.getvalue()
