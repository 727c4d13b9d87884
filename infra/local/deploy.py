"""Makes what is declared on the local AWS endpoint; running it again changes nothing."""

from __future__ import annotations

import json
import secrets
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.declarations import Bucket, Declarations, Key, Queue, Secret, StateMachine, Table, resource_name
from infra.local.settings import ACCOUNT, CREDENTIALS, REGION

_KEY_SPECS = {
    "sign-ed25519": {"KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_EDWARDS25519"},
    "encrypt": {"KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"},
}


def client(service: str, endpoint_url: str) -> Any:
    """A boto3 client of the local endpoint. A call is never repeated while it still runs: invoking a
    function may take minutes."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(read_timeout=1000, s3={"addressing_style": "path"}),
    )


def function_arn(stage: str, name: str) -> str:
    """A function's ARN on this machine."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{resource_name(stage, name)}"


def state_machine_arn(stage: str, name: str) -> str:
    """A saga's ARN on this machine."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{resource_name(stage, name)}"


def queue_url(endpoint_url: str, stage: str, name: str) -> str:
    """A queue's URL on this machine."""
    return f"{endpoint_url}/{ACCOUNT}/{resource_name(stage, name)}"


def deploy(declared: Declarations, stage: str, endpoint_url: str) -> None:
    """Create or update tables, buckets, queues, keys, secrets and sagas."""
    deployment = _Deployment(stage, endpoint_url)
    for table in declared.tables:
        deployment.table(table)
    for bucket in declared.buckets:
        deployment.bucket(bucket)
    # A queue's redrive policy names its dead-letter queue, which therefore comes first.
    for queue in sorted(declared.queues, key=lambda queue: bool(queue.dlq)):
        deployment.queue(queue)
    for key in declared.keys:
        deployment.key(key)
    for secret in declared.secrets:
        deployment.secret(secret)
    arns = {f.name: function_arn(stage, f.name) for f in declared.all_functions()}
    for machine in declared.state_machines:
        deployment.state_machine(machine, arns)


class _Deployment:
    def __init__(self, stage: str, endpoint_url: str) -> None:
        self._stage = stage
        self._endpoint_url = endpoint_url

    def _client(self, service: str) -> Any:
        return client(service, self._endpoint_url)

    def _name(self, name: str) -> str:
        return resource_name(self._stage, name)

    def table(self, table: Table) -> None:
        dynamodb = self._client("dynamodb")
        name = self._name(table.name)
        try:
            dynamodb.create_table(TableName=name, **_table_form(table))
        except dynamodb.exceptions.ResourceInUseException:
            return
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        ttl = {"Enabled": True, "AttributeName": table.ttl_attribute}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)

    def bucket(self, bucket: Bucket) -> None:
        s3 = self._client("s3")
        name = self._name(bucket.name)
        try:
            s3.head_bucket(Bucket=name)
        except ClientError:
            s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=bucket.object_lock)
        if bucket.object_lock and bucket.retention_days:
            retention = {"Mode": "GOVERNANCE", "Days": bucket.retention_days}
            s3.put_object_lock_configuration(
                Bucket=name,
                ObjectLockConfiguration={
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {"DefaultRetention": retention},
                },
            )

    def queue(self, queue: Queue) -> None:
        attributes = {
            "VisibilityTimeout": str(queue.visibility_seconds),
            "MessageRetentionPeriod": str(queue.retention_days * 86_400),
        }
        if queue.dlq:
            dlq = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self._name(queue.dlq)}"
            policy = {"deadLetterTargetArn": dlq, "maxReceiveCount": str(queue.receives_max)}
            attributes["RedrivePolicy"] = json.dumps(policy)
        self._client("sqs").create_queue(QueueName=self._name(queue.name), Attributes=attributes)

    def key(self, key: Key) -> None:
        kms = self._client("kms")
        alias = f"alias/{self._name(key.name)}"
        try:
            kms.describe_key(KeyId=alias)
        except kms.exceptions.NotFoundException:
            made = kms.create_key(Description=self._name(key.name), **_KEY_SPECS[key.use])
            kms.create_alias(AliasName=alias, TargetKeyId=made["KeyMetadata"]["KeyId"])

    def secret(self, secret: Secret) -> None:
        manager = self._client("secretsmanager")
        name = self._name(secret.name)
        try:
            manager.describe_secret(SecretId=name)
        except manager.exceptions.ResourceNotFoundException:
            value = secret.prefix + secrets.token_hex(secret.random_bytes)
            manager.create_secret(Name=name, SecretString=value)

    def state_machine(self, machine: StateMachine, arns: dict[str, str]) -> None:
        states = self._client("stepfunctions")
        definition = machine.definition(arns)
        arn = state_machine_arn(self._stage, machine.name)
        role = f"arn:aws:iam::{ACCOUNT}:role/{self._name(machine.name)}"
        try:
            existing = states.describe_state_machine(stateMachineArn=arn)
        except states.exceptions.StateMachineDoesNotExist:
            states.create_state_machine(name=self._name(machine.name), definition=definition, roleArn=role)
            return
        if existing["definition"] != definition:
            states.update_state_machine(stateMachineArn=arn, definition=definition, roleArn=role)


def _table_form(table: Table) -> dict[str, Any]:
    def keys(partition: str, sort: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ]

    form: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys("pk", "sk"),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "gsi1pk", "gsi1sk")
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "gsi1",
                "KeySchema": keys("gsi1pk", "gsi1sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }
    if table.stream:
        form["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream}
    return form
