"""What is kept: tables, buckets, queues, keys and secrets. This stack outlives all the others."""

from __future__ import annotations

import string
from typing import Any

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.grants import Resources
from infra.declarations import Bucket, Declarations, Key, Queue, Secret, Table, resource_name
from infra.stages import StageConfig

_HEX_SPARED = string.ascii_lowercase[6:]


class DataStack(Stack):
    """``made`` holds the ARNs by short name, ``queues`` the queues themselves."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, declared: Declarations, **told: Any
    ) -> None:
        super().__init__(scope, id, **told)
        self._config = config
        self._removal = RemovalPolicy.RETAIN if config.protected else RemovalPolicy.DESTROY
        self._storage = kms.Key(
            self,
            "storage-key",
            alias=f"alias/{resource_name(config.stage, 'storage')}",
            description=f"Tables, buckets and secrets of stage {config.stage}",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )
        self._access_logs = self._log_bucket()
        self.tables = {table.name: self._table(table) for table in declared.tables}
        self.buckets = {bucket.name: self._bucket(bucket) for bucket in declared.buckets}
        self.queues: dict[str, sqs.IQueue] = {}
        # A queue's redrive policy names its dead-letter queue, which therefore comes first.
        for queue in sorted(declared.queues, key=lambda queue: bool(queue.dlq)):
            self.queues[queue.name] = self._queue(queue)
        keys = {key.name: self._key(key).key_arn for key in declared.keys}
        secrets = {secret.name: self._secret(secret).secret_full_arn or "" for secret in declared.secrets}
        self.made = Resources(
            tables={name: table.table_arn for name, table in self.tables.items()},
            buckets={name: f"arn:{self.partition}:s3:::{self._name(name)}" for name in self.buckets},
            queues={name: queue.queue_arn for name, queue in self.queues.items()},
            keys=keys,
            secrets=secrets,
            storage_key=self._storage.key_arn,
        )

    def _name(self, name: str) -> str:
        return resource_name(self._config.stage, name)

    def _table(self, table: Table) -> dynamodb.TableV2:
        def text(name: str) -> dynamodb.Attribute:
            return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)

        return dynamodb.TableV2(
            self,
            f"table-{table.name}",
            table_name=self._name(table.name),
            partition_key=text("pk"),
            sort_key=text("sk"),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name="gsi1", partition_key=text("gsi1pk"), sort_key=text("gsi1sk")
                )
            ],
            time_to_live_attribute=table.ttl_attribute,
            dynamo_stream=dynamodb.StreamViewType(table.stream) if table.stream else None,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._storage),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._config.protected,
            removal_policy=self._removal,
        )

    def _log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "access-logs",
            bucket_name=self._name("access-logs"),
            # S3 delivers its access logs to no bucket with a customer's key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(365))],
            removal_policy=self._removal,
        )
        Validations.of(bucket).acknowledge(
            Acknowledgment(id="AwsSolutions-S1", reason="The bucket of access logs logs no access to itself.")
        )
        return bucket

    def _bucket(self, bucket: Bucket) -> s3.Bucket:
        retention = (
            s3.ObjectLockRetention.governance(Duration.days(bucket.retention_days))
            if bucket.retention_days
            else None
        )
        return s3.Bucket(
            self,
            f"bucket-{bucket.name}",
            bucket_name=self._name(bucket.name),
            object_lock_enabled=bucket.object_lock or None,
            object_lock_default_retention=retention,
            versioned=True,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._storage,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            server_access_logs_bucket=self._access_logs,
            server_access_logs_prefix=f"{bucket.name}/",
            cors=[_UPLOADS] if bucket.name == "documents" else None,
            lifecycle_rules=[
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7)),
            ],
            removal_policy=self._removal,
        )

    def _queue(self, queue: Queue) -> sqs.IQueue:
        made = sqs.Queue(
            self,
            f"queue-{queue.name}",
            queue_name=self._name(queue.name),
            visibility_timeout=Duration.seconds(queue.visibility_seconds),
            retention_period=Duration.days(queue.retention_days),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.queues[queue.dlq], max_receive_count=queue.receives_max
            )
            if queue.dlq
            else None,
            removal_policy=self._removal,
        )
        if not queue.dlq:
            Validations.of(made).acknowledge(
                Acknowledgment(id="AwsSolutions-SQS3", reason="This is where failed messages end up.")
            )
        return made

    def _key(self, key: Key) -> kms.Key:
        signs = key.use == "sign-ed25519"
        return kms.Key(
            self,
            f"key-{key.name}",
            alias=f"alias/{self._name(key.name)}",
            description=self._name(key.name),
            key_spec=kms.KeySpec.ECC_NIST_EDWARDS25519 if signs else kms.KeySpec.SYMMETRIC_DEFAULT,
            key_usage=kms.KeyUsage.SIGN_VERIFY if signs else kms.KeyUsage.ENCRYPT_DECRYPT,
            # An account on chain is its key: asymmetric keys are not rotated but replaced (runbook).
            enable_key_rotation=None if signs else True,
            # A lost key is a lost account, or personal data that nobody can read again.
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _secret(self, secret: Secret) -> secretsmanager.Secret:
        made = secretsmanager.Secret(
            self,
            f"secret-{secret.name}",
            secret_name=self._name(secret.name),
            description=f"Put the one given by {secret.given_by} here" if secret.given_by else None,
            encryption_key=self._storage,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=2 * secret.random_bytes,
                exclude_characters=_HEX_SPARED,
                exclude_uppercase=True,
                exclude_punctuation=True,
                include_space=False,
                require_each_included_type=False,
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        Validations.of(made).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason=f"{secret.given_by} gives it, and rotates it when an operator asks there."
                if secret.given_by
                else "Leaves of anchored readings come from this secret: rotating it breaks their proofs.",
            )
        )
        return made


# Documents are put by browsers to presigned URLs, which alone say who may.
_UPLOADS = s3.CorsRule(
    allowed_methods=[s3.HttpMethods.PUT],
    allowed_origins=["*"],
    allowed_headers=["content-type", "x-amz-checksum-sha256"],
    max_age=600,
)
