"""The saga retire, from the order to a certificate that verifies, through the real parts."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from carbonmarket import ids
from carbonmarket.certificate import multikey
from carbonmarket.chain import calls
from carbonmarket.verification import verify_certificate
from carbonmarket_adapters.wiring import chain, registry
from tests.sagas.world import Site, World

NAME = "Ada Lovelace-Byron"


@pytest.fixture(scope="module")
def minted(opened_world: World) -> Site:
    """A site whose day was minted."""
    with pytest.MonkeyPatch.context() as patch:
        opened_world.wire(patch)
        site = Site(opened_world)
        site.batch = site.mint()
        return site


def order(batch: str, grams: str = "123", **changes: Any) -> dict[str, Any]:
    """The body of a retirement."""
    return {
        "batch": batch,
        "grams": grams,
        "reason": "voluntary, office electricity",
        "country": "US",
        "period_start": "2016-01-01T00:00:00Z",
        "period_end": "2017-01-01T00:00:00Z",
        "beneficiary": {"name": NAME, "name_is_public": True},
    } | changes


def certificate(world: World, retirement: str, seconds: int = 60) -> Any:
    """The certificate's HTTP answer once it is no longer 202; it is never 404 on the way."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = world.call("GET", f"/v1/certificates/{retirement}", who=None)
        if answer.status_code != 202:
            return answer
        assert json.loads(answer.body)["state"] in ("accepted", "checked", "submitted", "final", "certified")
        time.sleep(0.1)
    raise AssertionError(f"retirement {retirement} is still on its way: {answer.body!r}")


def test_a_retirement_gets_a_certificate_that_verifies(world: World, minted: Site) -> None:
    ordered = minted.post("/v1/retirements", order(minted.batch))
    answer = certificate(world, ordered["id"])
    assert answer.status_code == 200
    evidence = registry.certificates().get(ordered["id"], "evidence.zip")
    platform = multikey.encode(chain.signer().public_key(world.settings.platform_key).key)
    report = verify_certificate(answer.body, {platform}, evidence=evidence)
    assert [link for link in report.links if link.status == "failed"] == []
    assert json.loads(answer.body)["credentialSubject"]["grams"] == "123"


def test_anybody_can_verify_and_the_name_is_shown_by_consent_only_until_it_is_erased(
    world: World, minted: Site
) -> None:
    ordered = minted.post("/v1/retirements", order(minted.batch))
    certificate(world, ordered["id"])
    path = f"/v1/verify/{ordered['id']}"
    verified = json.loads(world.call("GET", path, who=None).body)
    assert (verified["valid"], verified["beneficiary_name"]) == (True, NAME)
    assert {link["status"] for link in verified["links"]} == {"passed"}
    minted.post(f"/v1/retirements/{ordered['id']}/erasure")
    erased = json.loads(world.call("GET", path, who=None).body)
    assert (erased["valid"], erased["beneficiary_name"]) == (True, None)
    kept = registry.registry().retirement(ordered["id"])
    assert kept is not None and registry.subjects().open(kept.record.sealed) is None


def test_the_name_is_neither_on_chain_nor_in_the_certificate_nor_in_the_audit(
    world: World, minted: Site
) -> None:
    from carbonmarket_adapters.dynamo.audit import entries

    ordered = minted.post("/v1/retirements", order(minted.batch))
    answer = certificate(world, ordered["id"])
    told = [str(entry) for entry in entries(world.settings, ordered["id"])]
    hash = minted.get(f"/v1/retirements/{ordered['id']}")["transaction"]
    transaction = httpx.get(f"{world.localnet.node}/transactions/by_hash/{hash}").text
    assert len(told) >= 4
    for text in (answer.body.decode(), transaction, *told):
        assert "Ada" not in text and "Byron" not in text


def test_pdf_and_evidence_are_redirects_to_locked_files(world: World, minted: Site) -> None:
    ordered = minted.post("/v1/retirements", order(minted.batch))
    certificate(world, ordered["id"])
    for name, start in (("pdf", b"%PDF"), ("evidence", b"PK")):
        answer = world.call("GET", f"/v1/certificates/{ordered['id']}/{name}", who=None)
        assert answer.status_code == 303
        assert httpx.get(answer.headers["Location"]).content.startswith(start)
    lock = world.aws.client("s3").get_object_retention(
        Bucket=world.settings.prefix + "certificates", Key=f"{ordered['id']}/certificate.json"
    )
    assert lock["Retention"]["Mode"] == "COMPLIANCE"


def test_the_same_key_retires_once(world: World, minted: Site) -> None:
    first = minted.post("/v1/retirements", order(minted.batch), key="once-and-only")
    again = minted.post("/v1/retirements", order(minted.batch), key="once-and-only")
    assert first == again
    certificate(world, first["id"])
    kept = registry.registry().retirement(first["id"])
    assert kept is not None
    assert kept.record.grams == 123 == kept.record.serial_last - kept.record.serial_first + 1


def test_an_id_that_was_never_given_is_not_found(world: World) -> None:
    answer = world.call("GET", "/v1/certificates/RET000000000000", who=None)
    assert answer.status_code == 404


def test_an_imports_certificate_says_that_nothing_was_measured(world: World, minted: Site) -> None:
    account = chain.chain_access()
    organisation = registry.accounts().organisation(minted.organisation)
    assert organisation is not None
    batch = ids.derive("BAT", "ACR", "ACR-US-102-2016-1 to 5")
    bringing = calls.import_batch(
        owner=organisation.account_address,
        batch_id=batch,
        registry="ACR",
        registry_serial="ACR-US-102-2016-1 to 5",
        project="ACR102",
        project_name="Air Bag Gas Substitution",
        country="US",
        methodology="Industrial Gas Substitution",
        vintage_start=1_451_606_400,
        vintage_end=1_483_228_800,
        grams=1000,
        labels=0,
        uri="",
    )
    account.submit("import", world.settings.issuer_key, bringing)
    assert account.await_fate("import").success
    ordered = minted.post("/v1/retirements", order(batch))
    answer = certificate(world, ordered["id"])
    said = json.loads(answer.body)["credentialSubject"]
    assert said["origin"] == {
        "registry": "ACR",
        "serial": "ACR-US-102-2016-1 to 5",
        "statement": "not measured here",
    }
    assert said["labels"] == ["not-measured-here"]
    assert "evidence" not in said
    verified = json.loads(world.call("GET", f"/v1/verify/{ordered['id']}", who=None).body)
    assert verified["valid"]
    sentences = {link["name"]: link["sentence"] for link in verified["links"]}
    assert sentences["origin"].startswith("not measured here: imported from ACR")
    missing = world.call("GET", f"/v1/certificates/{ordered['id']}/evidence", who=None)
    assert missing.status_code == 404
    assert "not measured here" in json.loads(missing.body)["detail"]
