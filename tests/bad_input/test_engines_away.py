"""An engine that is not running: the answer says which one and how to start it, and once it runs the same
request goes through, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bad_input.conftest import Refusal, possessions
from tests.sagas.test_retire import certificate, order
from tests.sagas.world import Site, World

pytestmark = pytest.mark.engines

NOBODY = "http://127.0.0.1:9"
"""Nothing listens at the discard port."""


def asked(site: Site, path: str, body: Any, key: str) -> Refusal:
    who = (site.organisation, "developer")
    return Refusal(site.world.call("POST", path, who=who, body=body, key=key))


def pointed(world: World, patch: pytest.MonkeyPatch, **elsewhere: str) -> None:
    """Let the market look for an engine where there is none."""
    world.wire(patch)
    for name, value in elsewhere.items():
        patch.setenv(name, value)


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/retirements"])
def test_without_a_node_nothing_moves_until_it_is_there(
    world: World, minted: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    buyer = world.post("operator", "/v1/organisations", {"name": "B", "kind": "buyer", "country": "US"})
    gift = {"batch": minted.batch, "to": buyer["id"], "grams": "7"}
    body = gift if path == "/v1/transfers" else order(minted.batch, "7")
    before = possessions(minted)
    key = f"away{path}"
    with monkeypatch.context() as patch:
        pointed(world, patch, APTOS_NODE_URL=f"{NOBODY}/v1")
        refusal = asked(minted, path, body, key)
    assert (refusal.status, refusal.title) == (503, "engine unavailable")
    assert f"the Aptos node at {NOBODY}/v1 doesn't answer" in refusal.reason
    assert "`carbonmarket up` starts it" in refusal.reason

    world.wire(monkeypatch)
    assert possessions(minted) == before
    first = minted.post(path, body, key=key)
    assert minted.post(path, body, key=key) == first


def test_without_the_aws_endpoint_it_is_named(
    world: World, minted: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        pointed(world, patch, AWS_ENDPOINT_URL=NOBODY)
        refusal = asked(
            minted, "/v1/transfers", {"batch": minted.batch, "to": "ORG000000000000", "grams": "1"}, "k"
        )
    assert (refusal.status, refusal.title) == (503, "engine unavailable")
    assert f"{NOBODY} does not answer" in refusal.reason
    assert "`carbonmarket up` starts the engines" in refusal.reason


@pytest.fixture
def without_dynamodb(world: World) -> Iterator[World]:
    """The market while its DynamoDB is not running."""
    world.aws.dynamodb.stop()
    yield world
    world.aws.dynamodb.start()


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/transfers"), ("POST", "/v1/retirements")])
def test_without_dynamodb_it_is_named(minted: Site, without_dynamodb: World, method: str, path: str) -> None:
    who = (minted.organisation, "developer")
    body = order(minted.batch) if method == "POST" else None
    refusal = Refusal(without_dynamodb.call(method, path, who=who, body=body))
    assert (refusal.status, refusal.title) == (503, "engine unavailable")
    assert "DynamoDB Local is not running" in refusal.reason
    assert "`carbonmarket up`" in refusal.reason


def test_without_object_storage_it_is_named(world: World, minted: Site) -> None:
    ordered = minted.post("/v1/retirements", order(minted.batch, "1"))
    certificate(world, ordered["id"])
    world.aws.ministack.stop()
    try:
        answer = world.call("GET", f"/v1/certificates/{ordered['id']}", who=None)
    finally:
        world.aws.ministack.start()
    refusal = Refusal(answer)
    assert (refusal.status, refusal.title) == (503, "engine unavailable")
    assert "ministack is not running" in refusal.reason
    assert certificate(world, ordered["id"]).status_code == 200
