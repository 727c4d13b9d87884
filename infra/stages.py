"""What differs between the stages of the market on AWS.

Values that are known only after something was made by hand (the certificate of the domain, the contracts'
address and the version of the chain where they begin, the readings store's URL) stand in SSM parameters of
the stage, which CloudFormation reads when it deploys: ``/carbonmarket/<stage>/<name>``. docs/runbook.md says
when each is put there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from carbonmarket.settings import Settings
from infra.declarations import resource_name

LOCAL = "local"
DEVELOPMENT_AUTHORIZER = "development"


class StageRefused(Exception):
    """A stage that must not be deployed as it is described."""


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """One stage.

    ``quote_asset`` is the metadata's address of USDC on the stage's chain. ``account`` None means the
    account of whoever deploys. ``protected`` keeps tables, buckets, keys and the user pool when a stack is
    deleted. ``requests_per_second`` and ``burst`` limit the whole API; ``requests_per_address`` is what the
    firewall lets one address ask in five minutes. ``sponsor_gas_units`` is what the sponsor signs for on one
    day, at a price of 100 octas a unit 2,000 APT of which most is booked back, and
    ``sponsor_gas_units_an_account`` what one organisation may take of that; with fewer than
    ``sponsor_octas_min`` coins left an alarm asks for more, and so with a float of fewer than
    ``float_units_min``. ``card_cents_max`` is the most
    that one purchase by card may cost, ``card_risk_s`` how long one is held that no bank answers for, and
    ``card_denied`` are organisations that can't buy by card.
    """

    stage: str
    domain: str
    alarms_email: str
    node_url: str
    chain_id: int
    quote_asset: str = ""
    account: str | None = None
    region: str = "us-east-1"
    authorizer: str = "cognito"
    protected: bool = True
    log_days: int = 90
    log_level: str = "INFO"
    requests_per_second: int = 100
    burst: int = 200
    requests_per_address: int = 2_000
    sponsor_gas_units: int = 2_000_000_000
    sponsor_gas_units_an_account: int = 200_000_000
    sponsor_octas_min: int = 100 * 10**8
    float_units_min: int = 1_000 * 10**6
    card_cents_max: int = 1_000_000
    card_risk_s: int = 7 * 86_400
    card_denied: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.authorizer not in {"cognito", DEVELOPMENT_AUTHORIZER}:
            raise StageRefused(f"there is no authorizer {self.authorizer!r}; a stage takes 'cognito'")
        if self.authorizer == DEVELOPMENT_AUTHORIZER and self.stage != LOCAL:
            raise StageRefused(
                f"stage {self.stage} asks for the development authorizer, which lets whoever holds one key "
                "be anybody; only the stage 'local' may have it"
            )

    @property
    def public_url(self) -> str:
        """Where the API answers."""
        return f"https://{self.domain}"

    def parameter(self, name: str) -> str:
        """The SSM parameter of a value that is put there by hand."""
        return f"/carbonmarket/{self.stage}/{name}"

    def settings(self, *, market_address: str, readings_store: str) -> Settings:
        """What the functions of the stage are told."""
        return Settings(
            stage=self.stage,
            aws_region=self.region,
            aptos_node_url=self.node_url,
            chain_id=self.chain_id,
            market_address=market_address,
            public_url=self.public_url,
            readings_store=readings_store,
            quote_asset=self.quote_asset,
            salt_secret=resource_name(self.stage, "evidence-salt"),
            stripe_secret=resource_name(self.stage, "stripe-secret"),
            stripe_webhook_secret=resource_name(self.stage, "stripe-webhook"),
            sponsor_daily_gas_budget=self.sponsor_gas_units,
            sponsor_account_gas_budget=self.sponsor_gas_units_an_account,
            card_cents_max=self.card_cents_max,
            card_risk_s=self.card_risk_s,
            card_denied=",".join(self.card_denied),
            authorizer=self.authorizer,
            log_level=self.log_level,
        )


STAGES = (
    StageConfig(
        stage="dev",
        domain="api.dev.carbonmarket.dev",
        alarms_email="alarms@dev.carbonmarket.dev",
        node_url="https://api.testnet.aptoslabs.com/v1",
        chain_id=2,
        quote_asset="0x69091fbab5f7d635ee7ac5098cf0c1efbe31d68fec0f2cd565e8d168daf52832",
        protected=False,
        log_days=14,
        # A faucet gives a coin at a time.
        sponsor_octas_min=10**8,
    ),
    StageConfig(
        stage="prod",
        domain="api.carbonmarket.dev",
        alarms_email="alarms@carbonmarket.dev",
        node_url="https://api.mainnet.aptoslabs.com/v1",
        chain_id=1,
        quote_asset="0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b",
    ),
    # The machine's own stage: synthesised to be compared with the machine. Its account is nobody's, so
    # it can't be deployed.
    StageConfig(
        stage=LOCAL,
        domain="localhost",
        alarms_email="alarms@localhost",
        node_url="http://127.0.0.1:8080/v1",
        chain_id=4,
        account="000000000000",
        authorizer=DEVELOPMENT_AUTHORIZER,
        protected=False,
    ),
)


def stage_named(name: str, *, authorizer: str | None = None) -> StageConfig:
    """The stage of a name; ``authorizer`` overrides the stage's own, where the stage may have it."""
    for config in STAGES:
        if config.stage == name:
            return config if authorizer is None else replace(config, authorizer=authorizer)
    known = ", ".join(config.stage for config in STAGES)
    raise StageRefused(f"there is no stage {name!r}; -c stage= takes {known}")
