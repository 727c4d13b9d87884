"""What AWS keeps, this machine keeps: nothing that was taken is lost when an engine is killed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from infra.declarations import Table
from infra.local.deploy import deploy
from infra.local.engines.process import Engine
from tests.fixtures.machine import AwsEndpoint
from tests.infra_local.conftest import DECLARED, eventually

pytestmark = pytest.mark.engines


def restart(engine: Engine) -> None:
    engine.kill()
    engine.start()


def saved(samples: AwsEndpoint, file: str, text: str) -> bool:
    path = samples.machine.state / "ministack" / "state" / file
    return path.exists() and text in path.read_text()


@pytest.fixture
def locked_version(samples: AwsEndpoint) -> Iterator[str]:
    """The version of an object that may not be removed before 2100."""
    until = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
    put = samples.client("s3").put_object(
        Bucket=samples.name("locked"),
        Key="certificate.json",
        Body=b"{}",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=until,
    )
    eventually(lambda: saved(samples, "s3.json", put["VersionId"]))
    yield put["VersionId"]


def test_a_locked_object_and_its_retention_outlive_a_kill(samples: AwsEndpoint, locked_version: str) -> None:
    restart(samples.ministack)
    s3, bucket = samples.client("s3"), samples.name("locked")
    assert s3.get_object(Bucket=bucket, Key="certificate.json")["Body"].read() == b"{}"
    retention = s3.get_object_retention(Bucket=bucket, Key="certificate.json")["Retention"]
    assert retention["RetainUntilDate"].year == 2100
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="certificate.json", VersionId=locked_version)


def test_queued_messages_outlive_a_kill(samples: AwsEndpoint) -> None:
    sqs = samples.client("sqs")
    url = sqs.get_queue_url(QueueName=samples.name("kept"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="still here")
    eventually(lambda: saved(samples, "sqs.json", "still here"))
    restart(samples.ministack)
    messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert [message["Body"] for message in messages] == ["still here"]


def test_a_signing_key_outlives_a_kill(samples: AwsEndpoint) -> None:
    kms, alias = samples.client("kms"), f"alias/{samples.name('signer')}"
    public = load_der_public_key(kms.get_public_key(KeyId=alias)["PublicKey"])
    key_id = kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
    eventually(lambda: saved(samples, "kms.json", key_id))
    restart(samples.ministack)
    signature = kms.sign(
        KeyId=alias, Message=b"grams", MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
    )["Signature"]
    assert isinstance(public, Ed25519PublicKey)
    public.verify(signature, b"grams")


def test_items_outlive_a_kill(samples: AwsEndpoint) -> None:
    table = Table("kept-items")
    deployed = type(DECLARED)(**{**vars(DECLARED), "tables": (table,)})
    deploy(deployed, samples.stage, samples.url)
    dynamodb, name = samples.client("dynamodb"), samples.name(table.name)
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    restart(samples.dynamodb)
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    assert dynamodb.get_item(TableName=name, Key=key)["Item"]["sk"] == {"S": "b"}


def test_deploying_again_changes_nothing(samples: AwsEndpoint) -> None:
    kms, alias = samples.client("kms"), f"alias/{samples.name('signer')}"
    before = kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
    deploy(DECLARED, samples.stage, samples.url)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"] == before


def test_an_engine_that_is_down_is_named(samples: AwsEndpoint) -> None:
    samples.ministack.kill()
    try:
        with pytest.raises(ClientError, match=r"ministack is not running .* `carbonmarket up`"):
            samples.client("sqs").list_queues()
    finally:
        samples.ministack.start()
