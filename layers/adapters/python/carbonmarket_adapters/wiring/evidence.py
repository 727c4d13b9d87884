"""The evidence bucket and the secret of leaf salts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import aws, settings

if TYPE_CHECKING:
    from carbonmarket.ports.evidence import EvidenceStore, SaltSecrets


@functools.cache
def evidence() -> EvidenceStore:
    """Signed messages and anchored parts."""
    from carbonmarket_adapters.evidence_store import S3Evidence

    return S3Evidence(aws("s3"), settings().prefix + "evidence")


@functools.cache
def salts() -> SaltSecrets:
    """The secrets of leaf salts. The master secret is hex in Secrets Manager and never changes: leaves of
    readings already anchored come from it."""
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    from carbonmarket_adapters.evidence_store import MasterSecretSalts

    master = SecretsProvider(boto3_client=aws("secretsmanager")).get(settings().salt_secret)
    return MasterSecretSalts(bytes.fromhex(str(master)))
