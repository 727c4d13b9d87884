"""What ratings are made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import aws, settings

if TYPE_CHECKING:
    from carbonmarket.operations.rate_parties import Ratings


def ratings(goes_on: Callable[[], bool] = lambda: True) -> Ratings:
    """The stores, the chain and the oracle's key; ``goes_on`` says whether there is time for more."""
    from carbonmarket.chain.addresses import canonical
    from carbonmarket.operations.rate_parties import Ratings
    from carbonmarket_adapters.dynamo.ratings import DynamoRatingMarks
    from carbonmarket_adapters.rating_evidence import S3RatingEvidence
    from carbonmarket_adapters.wiring import chain, devices, purchases, registry

    return Ratings(
        accounts=registry.accounts(),
        registry=registry.registry(),
        reports=registry.reports(),
        rejects=devices.ingest(),
        market=chain.market_projection(),
        credits=chain.projection(),
        purchases=purchases.purchases(),
        chain=chain.chain_access(),
        evidence=S3RatingEvidence(aws("s3"), settings().prefix + "evidence"),
        marks=DynamoRatingMarks(settings()),
        oracle=settings().oracle_key,
        treasury=canonical(purchases.treasury()),
        goes_on=goes_on,
    )
