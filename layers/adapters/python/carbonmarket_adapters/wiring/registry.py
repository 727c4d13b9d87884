"""The registry's adapters: stores of records and files, keys of subjects, sagas, notifications."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import aws, settings

if TYPE_CHECKING:
    from carbonmarket.operations.render_certificate import Issuer, Kept
    from carbonmarket.operations.vote import Market
    from carbonmarket.ports.accounts import AccountsStore
    from carbonmarket.ports.documents import CertificateFiles, DocumentFiles, ReportFiles
    from carbonmarket.ports.gateways import DeviceRegistry
    from carbonmarket.ports.notifications import Notifications
    from carbonmarket.ports.personal import SubjectKeys
    from carbonmarket.ports.registry import RegistryStore
    from carbonmarket.ports.sagas import ReviewTasks, Sagas


@functools.cache
def registry() -> RegistryStore:
    """Projects, periods, reviews, batches, transfers, retirements."""
    from carbonmarket_adapters.dynamo.registry import DynamoRegistry

    return DynamoRegistry(settings())


@functools.cache
def accounts() -> AccountsStore:
    """Organisations."""
    from carbonmarket_adapters.dynamo.accounts import DynamoAccounts

    return DynamoAccounts(settings())


@functools.cache
def documents() -> DocumentFiles:
    """Documents of projects."""
    from carbonmarket_adapters.documents import S3Documents

    return S3Documents(settings(), aws("s3"))


@functools.cache
def reports() -> ReportFiles:
    """Reports of periods."""
    from carbonmarket_adapters.documents import S3Reports

    return S3Reports(settings(), aws("s3"))


@functools.cache
def certificates() -> CertificateFiles:
    """Certificates with their PDF and evidence."""
    from carbonmarket_adapters.certificates_store import S3Certificates

    return S3Certificates(settings(), aws("s3"))


@functools.cache
def subjects() -> SubjectKeys:
    """Data keys of people."""
    from carbonmarket_adapters.subject_keys import KmsSubjectKeys

    return KmsSubjectKeys(settings(), aws("kms"))


@functools.cache
def device_registry() -> DeviceRegistry:
    """Who signs gateways' certificates."""
    from carbonmarket_adapters.device_registry import IotDeviceRegistry, LocalDeviceRegistry

    chosen = settings()
    if chosen.device_authority:
        return LocalDeviceRegistry(Path(chosen.device_authority), chosen.device_endpoint)
    return IotDeviceRegistry(aws("iot"), chosen.prefix + "gateway")


@functools.cache
def sagas() -> Sagas:
    """Step Functions."""
    from carbonmarket_adapters.sagas import StepFunctionsSagas

    account = aws("sts").get_caller_identity()["Account"]
    return StepFunctionsSagas(settings(), aws("stepfunctions"), account)


@functools.cache
def review_tasks() -> ReviewTasks:
    """Task tokens of reviews."""
    from carbonmarket_adapters.dynamo.sagas import DynamoReviewTasks

    return DynamoReviewTasks(settings())


@functools.cache
def notifications() -> Notifications:
    """The queue of notifications."""
    from carbonmarket_adapters.notifications import SqsNotifications

    return SqsNotifications(settings(), aws("sqs"))


def market() -> Market:
    """The chain and the package that approvals name."""
    from carbonmarket.operations.vote import Market

    return Market(chain_id=settings().chain_id, address=settings().market_address)


def issuer() -> Issuer:
    """Who certifies."""
    from carbonmarket.chain.addresses import canonical
    from carbonmarket.operations.render_certificate import Issuer
    from carbonmarket_adapters.wiring.chain import signer

    chosen = settings()
    return Issuer(
        signer=signer(),
        key=chosen.platform_key,
        public_url=chosen.public_url,
        chain_id=chosen.chain_id,
        module_address=canonical(chosen.market_address),
    )


def kept() -> Kept:
    """Everything that a certificate tells of."""
    from carbonmarket.operations.render_certificate import Kept
    from carbonmarket_adapters.wiring import chain, devices, evidence

    return Kept(
        registry=registry(),
        accounts=accounts(),
        devices=devices.devices(),
        anchors=devices.anchors(),
        evidence=evidence.evidence(),
        salts=evidence.salts(),
        reports=reports(),
        certificates=certificates(),
        chain=chain.chain_access(),
    )
