"""The methodology versions this package can compute, each with its document's hash and formula on chain."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import lru_cache
from importlib import resources

import msgspec

from carbonmarket.errors import NotFound
from carbonmarket.methodologies import factors, grid_renewables
from carbonmarket.methodologies.report import Interval, MrvReport, QuantifyInputs
from carbonmarket.quantities import UJ_PER_WH

FORMULA_LINEAR = 1
"""The contract's formula kind: floor((positive - negative) x numerator / denominator) grams."""


class Methodology(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a methodology. ``document_hash`` is SHA-256 of its document; it never changes.

    ``measures`` are the sensor types that it computes with: its projects have devices of these alone, and
    anchored sums hold only their energy. ``buffer_bps`` is the share of each issuance set aside, in
    hundredths of a percent.
    """

    id: str
    version: int
    operating_factor: str
    build_factor: str
    document: str
    measures: frozenset[str]
    buffer_bps: int

    @property
    def document_bytes(self) -> bytes:
        """The document's text."""
        folder = resources.files("carbonmarket.methodologies").joinpath("documents")
        return folder.joinpath(self.document).read_bytes()

    @property
    def document_hash(self) -> bytes:
        """SHA-256 of the document, 32 bytes, as registered on chain."""
        return hashlib.sha256(self.document_bytes).digest()

    @property
    def grams_per_kwh(self) -> Fraction:
        """The combined margin, exact to 0.0001 g/kWh."""
        return grid_renewables.combined_margin(
            factors.load(self.operating_factor), factors.load(self.build_factor)
        )

    @property
    def numerator(self) -> int:
        """With ``denominator``: grams per µJ, as registered on chain."""
        return int(self.grams_per_kwh * 10**grid_renewables.FACTOR_DECIMALS)

    @property
    def denominator(self) -> int:
        """See ``numerator``."""
        return int(UJ_PER_WH * 1_000 * 10**grid_renewables.FACTOR_DECIMALS)

    def ceiling_grams(self, positive_uj: int, negative_uj: int) -> int:
        """The most that the contract issues on these anchored sums."""
        if negative_uj >= positive_uj:
            return 0
        return (positive_uj - negative_uj) * self.numerator // self.denominator

    def quantify(self, inputs: QuantifyInputs) -> MrvReport:
        """The report of a period; see ``grid_renewables.quantify`` for what it refuses."""
        return grid_renewables.quantify(
            inputs,
            methodology=self.id,
            version=self.version,
            document=self.document_hash.hex(),
            operating=factors.load(self.operating_factor),
            build=factors.load(self.build_factor),
        )


ALL = (
    Methodology(
        id="GRID-RENEWABLES-US-RMPA",
        version=1,
        operating_factor="us-rmpa-2016-om",
        build_factor="us-rmpa-2021-bm",
        document="grid-renewables-us-rmpa-1.md",
        measures=grid_renewables.TYPES,
        # Energy once generated can't be reversed; the share covers a report found wrong after issuance.
        buffer_bps=200,
    ),
)


@lru_cache(maxsize=1)
def _by_key() -> dict[tuple[str, int], Methodology]:
    return {(methodology.id, methodology.version): methodology for methodology in ALL}


def get(methodology_id: str, version: int) -> Methodology:
    """That version; NotFound names what there is."""
    try:
        return _by_key()[methodology_id, version]
    except KeyError:
        known = ", ".join(f"{methodology.id} version {methodology.version}" for methodology in ALL)
        raise NotFound(f"{methodology_id} version {version} is not known here; known: {known}") from None


def recompute(report: MrvReport, intervals: tuple[Interval, ...]) -> MrvReport:
    """The report that the named version gives for the report's own devices and these readings.

    Equal to ``report`` where the report is true to them. InvalidInput where they do not fit together.
    """
    methodology = get(report.methodology, report.methodology_version)
    return methodology.quantify(
        QuantifyInputs(
            project=report.project,
            period_start_us=report.period_start_us,
            period_end_us=report.period_end_us,
            devices=report.devices,
            intervals=intervals,
            anchored_positive_uj=int(report.positive_uj),
            anchored_negative_uj=int(report.negative_uj),
        )
    )
