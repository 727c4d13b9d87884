"""A function's calls of AWS are held to what it was granted, as its policy holds them on AWS."""

from __future__ import annotations

import pytest

from infra.local.deploy import queue_url
from infra.local.engines.lambdas.held import asked
from tests.fixtures.machine import AwsEndpoint
from tests.infra_local.conftest import invoke


@pytest.mark.engines
def test_a_function_may_call_what_it_was_granted_and_nothing_else(samples: AwsEndpoint) -> None:
    assert invoke(samples, "send", {"queue": queue_url(samples.url, samples.stage, "kept")})[1] is None
    answer, failure = invoke(samples, "send", {"queue": queue_url(samples.url, samples.stage, "told")})
    assert (failure, answer["errorType"]) == ("Unhandled", "ClientError")
    assert "AccessDeniedException" in answer["errorMessage"]
    assert f"sqs:SendMessage on {samples.name('told')} is not granted" in answer["errorMessage"]


def test_a_call_takes_an_action_for_each_thing_that_it_touches() -> None:
    put, deleted = {"Put": {"TableName": "market"}}, {"Delete": {"TableName": "audit"}}
    assert list(asked("dynamodb", "TransactWriteItems", {"TransactItems": [put, deleted]})) == [
        ("dynamodb:PutItem", "market"),
        ("dynamodb:DeleteItem", "audit"),
    ]
    assert list(asked("dynamodb", "BatchGetItem", {"RequestItems": {"chain": {}}})) == [
        ("dynamodb:BatchGetItem", "chain")
    ]
    locked = {"Bucket": "certificates", "ObjectLockMode": "COMPLIANCE"}
    assert list(asked("s3", "PutObject", locked)) == [
        ("s3:PutObject", "certificates"),
        ("s3:PutObjectRetention", "certificates"),
    ]
    assert list(asked("kms", "Decrypt", {"KeyId": "alias/custody"})) == [("kms:Decrypt", "custody")]
    assert list(asked("sfn", "SendTaskSuccess", {"taskToken": "t"})) == [("states:SendTaskSuccess", "")]
