"""How far an account's party can be relied on, and what each rating of it rests on. Everybody may look."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from carbonmarket.chain.addresses import canonical
from carbonmarket.errors import InvalidInput, NotFound
from carbonmarket.ports.market import MarketProjection
from carbonmarket.records.market import Rating
from carbonmarket.reputation import SHARES, Standing, overall, score
from carbonmarket.times import MICROSECONDS


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension: 0 (worst) to 10,000, 5,000 for whoever was never rated; ``updated`` in unix seconds."""

    dimension: int
    score: int
    ratings: int
    counterparties: int
    updated: int | None


class Reputation(msgspec.Struct, frozen=True, kw_only=True):
    """A party's reputation now: the four dimensions and their mean by shares."""

    account: str
    party: str
    overall: int
    scores: tuple[Score, ...]


def find_reputation(account: str, *, market: MarketProjection, now_us: int) -> Reputation:
    """The reputation of the party that an account belongs to; NotFound if it belongs to none."""
    party = party_of(account, market)
    now = now_us // MICROSECONDS
    standings = market.standing(party)
    return Reputation(
        account=canonical(account),
        party=party,
        overall=overall(standings, now),
        scores=tuple(_score(dimension, standings, now) for dimension in SHARES),
    )


def list_ratings(
    account: str, after: str | None, first: int, *, market: MarketProjection
) -> list[tuple[str, Rating]]:
    """(cursor, rating) of the account's party, by dimension and reference."""
    return market.ratings(party_of(account, market), after=after, first=first)


def party_of(account: str, market: MarketProjection) -> str:
    """The verified party of an account; InvalidInput (field ``account``) for what is no address."""
    try:
        address = canonical(account)
    except InvalidInput as wrong:
        raise InvalidInput(wrong.reason, field="account") from None
    party = market.party_of(address)
    if party is None:
        raise NotFound("this account belongs to no verified party", field="account")
    return party


def _score(dimension: int, standings: Mapping[int, Standing], now: int) -> Score:
    standing = standings.get(dimension, Standing())
    return Score(
        dimension=dimension,
        score=score(standing, now),
        ratings=standing.ratings,
        counterparties=standing.counterparties,
        updated=standing.updated or None,
    )
