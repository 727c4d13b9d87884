"""The ledger and the payment provider, chosen by settings."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import aws, settings

if TYPE_CHECKING:
    from carbonmarket.ports.money import Ledger, Payments


@functools.cache
def ledger() -> Ledger:
    """Double entry."""
    from carbonmarket_adapters.dynamo.ledger import DynamoLedger

    return DynamoLedger(settings())


@functools.cache
def payments() -> Payments:
    """Stripe, or the server that ``settings.stripe_api_base`` names. Importing its package takes half a
    second, so functions ask for it only when they need it."""
    from carbonmarket_adapters.payments_stripe import StripePayments

    # A function may hold one of the secrets only: each is read when it is first needed.
    return StripePayments(
        secret=lambda: _secret(settings().stripe_secret),
        webhook_secret=lambda: _secret(settings().stripe_webhook_secret),
        api_base=settings().stripe_api_base,
    )


def _secret(name: str) -> str:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    return str(SecretsProvider(boto3_client=aws("secretsmanager")).get(name))
