"""What the events of the reputation system do to the projected records."""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket.chain import events as ev
from carbonmarket.ports.projection import Key
from carbonmarket.projection.rule import Effect, Place, Read, Rules
from carbonmarket.records.market import PartyOf, PartyStanding, Rating
from carbonmarket.reputation import standing_after

_NO_PARTY = "0x"


def _party_key(event: ev.AccountPartyChanged) -> Key:
    return ("party_of", event.account)


def _party_changed(event: ev.AccountPartyChanged, _place: Place, _read: Read) -> Iterator[Effect]:
    left = event.party_new == _NO_PARTY
    yield _party_key(event), None if left else PartyOf(account=event.account, party=event.party_new)


def _standing_key(event: ev.PartyRated) -> Key:
    return ("standing", event.party, str(event.dimension))


def _rated(event: ev.PartyRated, place: Place, _read: Read) -> Iterator[Effect]:
    standing = standing_after(event)
    yield (
        _standing_key(event),
        PartyStanding(
            party=event.party,
            dimension=event.dimension,
            points=str(standing.points),
            weight=str(standing.weight),
            updated=standing.updated,
            ratings=standing.ratings,
            counterparties=standing.counterparties,
        ),
    )
    yield (
        ("rating", event.party, str(event.dimension), event.reference),
        Rating(
            party=event.party,
            dimension=event.dimension,
            reference=event.reference,
            counterparty="" if event.counterparty == _NO_PARTY else event.counterparty,
            mark=event.mark,
            weight=event.weight,
            counted=event.counted,
            evidence_hash=event.evidence_hash,
            rated_at=event.rated_at,
            version=place.version,
            transaction=place.transaction,
        ),
    )


RULES: Rules = {
    ev.AccountPartyChanged: (_party_changed, lambda event, _place: (_party_key(event),)),
    ev.PartyRated: (_rated, lambda event, _place: (_standing_key(event),)),
}
