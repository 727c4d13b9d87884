"""What anybody may ask without a login: certificates, their verification, the reconciliation."""

from __future__ import annotations

import json
from importlib import resources

from carbonmarket.errors import NotFound
from carbonmarket.operations import get_certificate as certifying
from carbonmarket.records.credits import Retirement
from carbonmarket_adapters.http import Answer, Api, Call, connection, show
from carbonmarket_adapters.wiring import chain, registry, settings

api = Api("api_public")
app = api.app

_RETRY_S = "2"
# A certificate never changes; a shared cache may keep it.
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@api.get("/v1/certificates/{certificate}", public=True)
def get_certificate(call: Call) -> object:
    """The signed certificate; 202 with the state until it is there, 410 if the retirement failed."""
    retirement, content = _found(call)
    if content is None:
        return _still_to_come(retirement)
    return Answer(body=json.loads(content), status=200, headers=_FOREVER)


@api.get("/v1/certificates/{certificate}/pdf", public=True)
def get_certificate_pdf(call: Call) -> object:
    """The certificate to print: a redirect to the file; 202 until it is there."""
    return _redirect(call, "certificate.pdf")


@api.get("/v1/certificates/{certificate}/evidence", public=True)
def get_certificate_evidence(call: Call) -> object:
    """The evidence bundle: a redirect to the archive; 202 until it is there, 404 for imported credits."""
    _, content = _found(call)
    if content is not None:
        certifying.require_evidence(content)
    return _redirect(call, "evidence.zip")


@api.get("/v1/verify/{certificate}", public=True)
def verify_certificate(call: Call) -> object:
    """The certificate's links checked one by one, here and now, against the evidence and the chain."""
    # Verification brings the methodologies and the certificate's libraries; no other route needs them.
    from carbonmarket.certificate import multikey
    from carbonmarket.cli.node import NodeView
    from carbonmarket.verification import verify_certificate as verify

    retirement, content = _found(call)
    if content is None:
        return _still_to_come(retirement)
    id = retirement.id
    key = multikey.encode(chain.signer().public_key(settings().platform_key).key)
    report = verify(
        content,
        {key},
        evidence=registry.certificates().get(id, "evidence.zip"),
        chain=NodeView(settings().aptos_node_url),
    )
    return {
        "certificate": id,
        "valid": report.valid,
        "platform_key": key,
        "beneficiary_name": certifying.public_name(retirement, registry.subjects()),
        "links": [
            {"name": link.name, "status": link.status, "sentence": link.sentence} for link in report.links
        ],
        "not_proven": list(report.not_proven),
    }


@api.get("/v1/reconciliation", public=True, cache_s=60)
def get_reconciliation(call: Call) -> object:
    """The last comparison of serial ranges, chain supply, vault and projection: what differs of how many."""
    published = chain.projection().reconciliation()
    if published is None:
        raise NotFound("no reconciliation was published yet; it runs once a day")
    return show.reconciliation(published)


@api.get("/v1/reconciliation/batches", public=True, paged=True, cache_s=60)
def list_reconciled_batches(call: Call) -> object:
    """The batches of the last comparison, in the order of their serials."""
    rows = chain.projection().reconciled_batches(call.page.after)
    return connection(rows, call.page.first, show.reconciled)


@api.get("/v1/reconciliation/assets", public=True, paged=True, cache_s=60)
def list_reconciled_assets(call: Call) -> object:
    """The assets of the marketplace's vault in the last comparison."""
    rows = chain.projection().reconciled_assets(call.page.after)
    return connection(rows, call.page.first, show.reconciled)


@api.get("/v1/openapi.json", public=True)
def get_openapi(call: Call) -> object:
    """This API's description, in OpenAPI 3.1."""
    return json.loads(resources.files("functions.api_public").joinpath("openapi.json").read_bytes())


def _found(call: Call) -> tuple[Retirement, bytes | None]:
    return certifying.get_certificate(
        call.path["certificate"], registry=registry.registry(), certificates=registry.certificates()
    )


def _still_to_come(retirement: Retirement) -> Answer:
    body = {"certificate": retirement.id, "state": retirement.state}
    return Answer(body=body, status=202, headers={"Retry-After": _RETRY_S})


def _redirect(call: Call, name: str) -> Answer:
    retirement, content = _found(call)
    if content is None:
        return _still_to_come(retirement)
    link = registry.certificates().link(retirement.id, name)
    return Answer(body={"location": link}, status=303, headers={"Location": link})
