"""The registry's stores against real engines: nothing half written, nothing overwritten, people forgotten."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carbonmarket.errors import Conflict, InvalidInput, StaleWrite
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.credits import Retirement, Sealed
from carbonmarket_adapters.certificates_store import S3Certificates
from carbonmarket_adapters.device_registry import LocalDeviceRegistry
from carbonmarket_adapters.dynamo.accounts import DynamoAccounts
from carbonmarket_adapters.dynamo.audit import entries
from carbonmarket_adapters.dynamo.registry import PERIOD, DynamoRegistry
from carbonmarket_adapters.sagas import StepFunctionsSagas
from carbonmarket_adapters.subject_keys import KmsSubjectKeys
from infra.local.engines.mqtt.authority import Authority
from infra.local.settings import ACCOUNT, CREDENTIALS
from tests.fixtures.machine import AwsEndpoint
from tests.registry.test_decisions import period, review, verifier

_names = itertools.count(1)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def project() -> str:
    return f"PRJSTORE{next(_names)}"


def test_a_record_and_its_audit_stand_or_fall_together(aws: AwsEndpoint, project: str) -> None:
    store = DynamoRegistry(aws.settings)
    store.save_period(period(project=project), 0, told(SYSTEM, "close_period", project, "closing", 1))
    with pytest.raises(StaleWrite):
        store.save_period(period(project=project), 0, told(SYSTEM, "close_period", project, "twice", 2))
    assert [entry.state for entry in entries(aws.settings, project)] == ["closing"]


def test_a_stale_revision_overwrites_nothing(aws: AwsEndpoint, project: str) -> None:
    store = DynamoRegistry(aws.settings)
    entry = told(SYSTEM, "quantify", project, "quantified", 1)
    store.save_period(period(project=project), 0, entry)
    store.save_period(period(project=project, grams=1), 1, entry)
    with pytest.raises(StaleWrite):
        store.save_period(period(project=project, grams=2), 1, entry)
    kept = store.period(project, "PER1")
    assert kept is not None and (kept.record.grams, kept.revision) == (1, 2)


def test_a_review_that_was_voted_on_is_not_asked_again(aws: AwsEndpoint, project: str) -> None:
    store = DynamoRegistry(aws.settings)
    entry = told(SYSTEM, "ask_reviewers", project, "in_review", 1)
    store.save_period(period(project=project), 0, entry, [review(project=project)])
    store.save_review(review(project=project, vote="refuse"), 1, entry)
    store.save_period(period(project=project), 1, entry, [review(project=project)])
    assert [asked.vote for asked in store.reviews(project, "PER1")] == ["refuse"]


def retirement(project: str) -> Retirement:
    return Retirement(
        id=f"RET{project}",
        organisation="ORG1",
        batch="BAT1",
        grams=123,
        reason="voluntary",
        country="US",
        start_us=0,
        end_us=1,
        beneficiary="ab" * 32,
        sealed=Sealed(subject=project, nonce="", ciphertext=""),
        name_is_public=False,
        certificate_url=f"https://market.example/v1/certificates/RET{project}",
        state="accepted",
        created_us=1,
    )


def test_a_retirement_of_the_first_version_is_still_read(aws: AwsEndpoint, project: str) -> None:
    store = DynamoRegistry(aws.settings)
    today = retirement(project)
    entry = told(SYSTEM, "create_retirement", today.id, "accepted", 1)
    store.save_retirement(today, 0, entry)
    kept_as_version_1(aws, today, without="certificate_url")
    kept = store.retirement(today.id)
    assert kept is not None and kept.record == msgspec.structs.replace(today, certificate_url="")
    store.save_retirement(today, kept.revision, entry)
    again = store.retirement(today.id)
    assert again is not None and again.record == today


def test_a_period_kept_before_its_batchs_address_is_still_read(aws: AwsEndpoint, project: str) -> None:
    body = msgspec.to_builtins(period(project=project, state="minting"))
    del body["uri"]
    assert PERIOD.decode(msgspec.json.encode(body).decode(), 1).uri == ""


def kept_as_version_1(aws: AwsEndpoint, record: Retirement, *, without: str) -> None:
    """Turn the stored item into what the first version kept."""
    body = msgspec.to_builtins(record)
    del body[without]
    aws.client("dynamodb").update_item(
        TableName=aws.name("registry"),
        Key={"pk": {"S": f"retirement#{record.id}"}, "sk": {"S": "retirement"}},
        UpdateExpression="SET item_version = :one, body = :body",
        ExpressionAttributeValues={
            ":one": {"N": "1"},
            ":body": {"S": msgspec.json.encode(body).decode()},
        },
    )


def test_sealed_data_opens_until_its_subject_is_erased(aws: AwsEndpoint, project: str) -> None:
    keys = KmsSubjectKeys(aws.settings, aws.client("kms"))
    sealed = keys.seal(project, b"Ada")
    assert keys.open(sealed) == b"Ada"
    assert b"Ada" not in sealed.ciphertext.encode()
    keys.erase(project)
    assert keys.open(sealed) is None


def test_a_key_leaves_by_itself_at_its_time_unless_it_is_kept(aws: AwsEndpoint, project: str) -> None:
    keys = KmsSubjectKeys(aws.settings, aws.client("kms"))
    at = int(time.time()) + 3_600

    def leaves() -> Any:
        place = {"pk": {"S": f"subject#{project}"}, "sk": {"S": "key"}}
        item = aws.client("dynamodb").get_item(TableName=aws.name("subject_keys"), Key=place)["Item"]
        return item.get("expires_at")

    sealed = keys.seal(project, b"Ada", until_us=at * 1_000_000)
    assert leaves() == {"N": str(at)}
    keys.seal(project, b"Ada", until_us=(at + 60) * 1_000_000)
    assert leaves() == {"N": str(at + 60)}
    keys.keep(project)
    assert leaves() is None
    assert keys.open(sealed) == b"Ada"
    keys.keep("SUBJECTOFNOBODY")


def test_a_certificate_is_never_replaced(aws: AwsEndpoint, project: str) -> None:
    files = S3Certificates(aws.settings, aws.client("s3"))
    files.put(project, "certificate.json", b"{}")
    files.put(project, "certificate.json", b"{}")
    with pytest.raises(Conflict):
        files.put(project, "certificate.json", b"[]")
    assert files.get(project, "certificate.json") == b"{}"


def test_a_token_that_nobody_waits_under_changes_nothing(aws: AwsEndpoint) -> None:
    sagas = StepFunctionsSagas(aws.settings, aws.client("stepfunctions"), ACCOUNT)
    sagas.succeed("a token of an execution that is gone", {})
    sagas.fail("a token of an execution that is gone", "ReviewRefused", "refused")


def test_an_organisation_is_found_by_its_account_and_an_account_belongs_to_one(
    aws: AwsEndpoint, project: str
) -> None:
    accounts = DynamoAccounts(aws.settings)
    first = msgspec.structs.replace(verifier(f"ORG{project}"), account_address=f"0x{project}")
    accounts.add_organisation(first, told(SYSTEM, "create_organisation", first.id, "active", 1))
    assert accounts.organisation_at(first.account_address) == first
    second = msgspec.structs.replace(first, id=f"ORG{project}B")
    with pytest.raises(StaleWrite):
        accounts.add_organisation(second, told(SYSTEM, "create_organisation", second.id, "active", 1))
    assert accounts.organisation(second.id) is None


def test_a_local_certificate_names_the_gateway_and_no_request_is_taken_on_trust(tmp_path: Path) -> None:
    Authority(tmp_path)
    registry = LocalDeviceRegistry(tmp_path, "127.0.0.1:8883")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody else")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    issued = registry.issue_certificate("GW1", request.public_bytes(serialization.Encoding.PEM).decode())
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    assert certificate.subject.rfc4514_string() == "CN=GW1"
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issued.authority.encode()))
    with pytest.raises(InvalidInput) as refused:
        registry.issue_certificate("GW1", "-----BEGIN CERTIFICATE REQUEST-----")
    assert refused.value.field == "csr"
