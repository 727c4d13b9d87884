"""Reputation as the contract ``reputation_system`` computes it, in the same integers.

A party's standing in a dimension is two sums over its ratings: the weights, and marks times weights. Both
halve every 180 days. The score is the weighted mean of the marks and of a neutral prior, so that it drifts
back to neutral where nothing is heard. Weights are integers in units of 2^-64 and every decay rounds down, by
less than one part in 2^57 and one unit: after n ratings a score is within n * 2^-42 points of the real one
before it is rounded down to whole points.

Source: the sums are an exponentially weighted mean; the prior and the cap on what one counterparty weighs are
the contract's own rules, in ``move/sources/reputation_system.move``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from carbonmarket.chain.events import PartyRated

DELIVERY, DATA_QUALITY, VERIFICATION, COMMUNITY = 1, 2, 3, 4
SHARES = {DELIVERY: 35, DATA_QUALITY: 30, VERIFICATION: 25, COMMUNITY: 10}
"""Percent of the overall score."""

BEST = 10_000
NEUTRAL = 5_000
ONE = 1 << 64
"""The unit of a rating's weight."""
PAIR_CAP = 100 * ONE
"""What one counterparty weighs at most in a score, whatever the number of its ratings."""
PRIOR_WEIGHT = 100 * ONE
HALF_LIFE_SECONDS = 180 * 86_400

_LEFT_AFTER = (
    18_446_743_251_544_662_195,
    18_446_742_429_379_809_419,
    18_446_740_785_050_213_797,
    18_446_737_496_391_462_275,
    18_446_730_919_075_718_124,
    18_446_717_764_451_265_388,
    18_446_691_455_230_502_155,
    18_446_638_836_901_544_458,
    18_446_533_600_693_902_640,
    18_446_323_130_079_701_321,
    18_445_902_196_055_532_051,
    18_445_060_356_823_359_805,
    18_443_376_793_617_543_323,
    18_440_010_128_190_929_246,
    18_433_278_640_885_098_606,
    18_419_823_037_322_678_255,
    18_392_941_289_289_199_261,
    18_339_295_429_017_618_967,
    18_232_472_651_481_429_403,
    18_020_690_136_900_109_572,
    17_604_476_525_101_167_923,
    16_800_666_420_289_049_579,
    15_301_474_939_857_310_897,
    12_692_491_119_274_136_772,
)
"""What is left of 2^64 after 2^k seconds, rounded down."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A party's history in one dimension as it was at ``updated`` (unix seconds, 0 before any rating).

    ``weight`` is the sum of the weights in units of 2^-64, ``points`` that of mark times weight;
    ``counterparties`` counts the different parties that rated it.
    """

    points: int = 0
    weight: int = 0
    updated: int = 0
    ratings: int = 0
    counterparties: int = 0


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What one counterparty weighs in a standing, in units of 2^-64, as it was at ``updated``."""

    weight: int = 0
    updated: int = 0


def decayed(amount: int, elapsed: int) -> int:
    """``amount`` (0 to 2^128 - 1) times 2^-(elapsed / half-life), rounded down; ``elapsed`` in seconds.

    No time at all has passed where ``elapsed`` is negative: clocks of readers may be behind the chain's.
    """
    halvings, rest = divmod(max(elapsed, 0), HALF_LIFE_SECONDS)
    left = ONE
    for k, factor in enumerate(_LEFT_AFTER):
        if rest >> k & 1:
            left = left * factor >> 64
    return amount * left >> 64 + halvings


def at(standing: Standing, now: int) -> Standing:
    """The standing with its sums decayed to ``now`` (unix seconds); ``updated`` stays what it was."""
    elapsed = now - standing.updated
    return msgspec.structs.replace(
        standing, points=decayed(standing.points, elapsed), weight=decayed(standing.weight, elapsed)
    )


def score(standing: Standing, now: int) -> int:
    """0 (worst) to 10,000 (best), rounded down; 5,000 for whoever was never rated."""
    aged = at(standing, now)
    return (aged.points + PRIOR_WEIGHT * NEUTRAL) // (aged.weight + PRIOR_WEIGHT)


def overall(standings: Mapping[int, Standing], now: int) -> int:
    """The mean of the four dimensions' scores by :data:`SHARES`, rounded down.

    ``standings`` is by dimension; one that is missing is neutral.
    """
    unrated = Standing()
    return sum(share * score(standings.get(d, unrated), now) for d, share in SHARES.items()) // 100


def capped(pair: Pair | None, weight: int, now: int) -> tuple[int, Pair]:
    """What of ``weight`` (1 to 100) counts for a counterparty, in units of 2^-64, and the pair after it.

    ``pair`` is None where the two never met.
    """
    held = decayed(pair.weight, now - pair.updated) if pair else 0
    counted = min(weight * ONE, PAIR_CAP - held)
    return counted, Pair(weight=held + counted, updated=now)


def rated(standing: Standing, *, mark: int, counted: int, met: bool, now: int) -> Standing:
    """The standing after a rating of ``mark`` (0 to 10,000) whose weight counts ``counted`` units of 2^-64.

    ``met`` says that the counterparty is a new one.
    """
    aged = at(standing, now)
    return Standing(
        points=aged.points + mark * counted,
        weight=aged.weight + counted,
        updated=now,
        ratings=aged.ratings + 1,
        counterparties=aged.counterparties + met,
    )


def standing_after(event: PartyRated) -> Standing:
    """The standing that the contract's event leaves: what a projection keeps."""
    return Standing(
        points=int(event.points_new),
        weight=int(event.weight_new),
        updated=event.rated_at,
        ratings=event.ratings_new,
        counterparties=event.counterparties_new,
    )
