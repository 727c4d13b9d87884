"""The one list of settings. Infra writes ``to_env()``; functions read ``from_env()``.

Which AWS, which chain and which stores are meant is said here and nowhere else, so no code has to ask
whether it runs on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every function is told by its environment.

    ``signer`` is "file" (keys in ``key_directory``) or "kms". ``readings_store`` is a URL;
    ``sqlite:///path`` is the only one that is spoken yet, so a stage on AWS can't take readings until the
    adapter of Timestream for InfluxDB is there. ``first_version`` is a version of the chain before which
    ``market_address`` held no contracts: a new projection begins there. ``platform_key`` names the key that
    signs certificates; ``issuer_key``, ``oracle_key`` and ``sponsor_key`` sign on chain. ``quote_asset`` is
    the address of the metadata of the token that the market quotes in, ``quote_currency`` what cards are
    charged in; ``treasury_key`` signs for the float that card purchases are filled from.
    ``stripe_api_base`` is the payment provider's URL, empty for Stripe itself. ``card_risk_s`` is how long
    a card purchase is held that no bank answers for, ``card_cents_max`` the most that one purchase may
    cost, ``card_denied`` organisations that can't buy by card, with commas between. ``device_authority`` is
    the folder of one machine's certificate authority (ca.pem, ca.key); empty, AWS IoT Core signs.
    ``device_endpoint`` is host:port of that machine's broker. ``sponsor_daily_gas_budget`` are the gas units
    that the sponsor signs for on one UTC day, each call at its cap until its fate is known;
    ``sponsor_account_gas_budget`` what one organisation's account may take of them.
    """

    stage: str
    aws_region: str = "us-east-1"
    aws_endpoint_url: str = ""
    aptos_node_url: str
    chain_id: int
    market_address: str
    first_version: int = 0
    public_url: str
    readings_store: str
    signer: str = "kms"
    key_directory: str = ""
    platform_key: str = "platform"
    issuer_key: str = "issuer"
    oracle_key: str = "oracle"
    sponsor_key: str = "sponsor"
    sponsor_daily_gas_budget: int = 2_000_000_000
    sponsor_account_gas_budget: int = 200_000_000
    salt_secret: str = "carbonmarket/evidence-salt"  # noqa: S105 - the secret's name, not its value
    quote_asset: str = ""
    quote_currency: str = "USD"
    treasury_key: str = "treasury"
    stripe_api_base: str = ""
    stripe_secret: str = "carbonmarket/stripe-secret"  # noqa: S105 - the secret's name, not its value
    stripe_webhook_secret: str = "carbonmarket/stripe-webhook"  # noqa: S105 - likewise
    card_risk_s: int = 7 * 86_400
    card_cents_max: int = 1_000_000
    card_denied: str = ""
    device_authority: str = ""
    device_endpoint: str = ""
    authorizer: str = "cognito"
    development_key: str = ""
    log_level: str = "INFO"

    @property
    def prefix(self) -> str:
        """What the names of this stage's resources begin with."""
        return f"carbonmarket-{self.stage}-"

    def to_env(self) -> dict[str, str]:
        """The settings as environment variables; AWS' and Powertools' own names where they exist."""
        return {_variable(f.name): str(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings; a missing variable is an error that names it."""
        values: dict[str, object] = {}
        for f in fields(cls):
            name = _variable(f.name)
            if name in env:
                values[f.name] = int(env[name]) if f.type == "int" else env[name]
        try:
            return cls(**values)  # type: ignore[arg-type]
        except TypeError:
            missing = [_variable(f.name) for f in fields(cls) if f.name not in values and _required(f.name)]
            raise KeyError(f"environment variables are not set: {', '.join(missing)}") from None


_OWN_NAMES = {
    "aws_region": "AWS_DEFAULT_REGION",
    "aws_endpoint_url": "AWS_ENDPOINT_URL",
    "aptos_node_url": "APTOS_NODE_URL",
    "log_level": "POWERTOOLS_LOG_LEVEL",
}


def _variable(name: str) -> str:
    return _OWN_NAMES.get(name, "CARBONMARKET_" + name.upper())


def _required(name: str) -> bool:
    return name in {"stage", "aptos_node_url", "chain_id", "market_address", "public_url", "readings_store"}
