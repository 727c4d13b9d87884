"""What stories about bad input start from, and how they see that nothing was lost or changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sagas.world import Site, World


@pytest.fixture(scope="session")
def minted(opened_world: World) -> Site:
    """A site whose day became a batch; its developer holds the grams."""
    with pytest.MonkeyPatch.context() as patch:
        opened_world.wire(patch)
        site = Site(opened_world)
        site.batch = site.mint()
        return site


class Refusal:
    """A refusal as the caller reads it."""

    def __init__(self, answer: Any) -> None:
        document = json.loads(answer.body)
        assert answer.headers["Content-Type"] == "application/problem+json", document
        self.status: int = answer.status_code
        self.title: str = document["title"]
        self.reason: str = document["detail"]
        self.field: str = document.get("field", "").strip("/")


def refused(site: Site, path: str, body: Any, raw: bytes | None = None) -> Refusal:
    """What the site's developer is told who asks for that."""
    who = (site.organisation, "developer")
    return Refusal(site.world.call("POST", path, who=who, body=body, raw=raw))


def possessions(site: Site) -> dict[str, Any]:
    """Everything a developer owns and has asked for, by the chain and by the stores."""
    from carbonmarket_adapters.wiring import chain, registry

    owner = registry.accounts().organisation(site.organisation)
    batch = registry.registry().batch(site.batch)
    assert owner is not None and batch is not None
    view = chain.chain_access().view
    address = batch.record.address
    return {
        "held": view("credit_batch::holding", [], [owner.account_address, address]),
        "batch": view("credit_batch::batch", [], [address]),
        "records": view("certificate_registry::count", [], []),
        "transfers": site.get("/v1/transfers?first=100"),
        "retirements": site.get("/v1/retirements?first=100"),
    }


def records(site: Site) -> dict[str, Any]:
    """What a project's people see of its readings and periods."""
    parts = ("readings", "readings/counts", "rejects", "anchors", "periods")
    return {part: site.get(f"/v1/projects/{site.project}/{part}") for part in parts}
