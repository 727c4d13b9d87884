"""Who may call: a user pool whose groups are the market's roles."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from carbonmarket.records.principal import ROLES
from infra.declarations import resource_name
from infra.stages import StageConfig


class Users(Construct):
    """The pool and the client of the web and mobile apps.

    An operator invites people, puts them in groups and writes ``custom:organisation``; the client can't
    write it, so that nobody moves to another organisation by himself.
    """

    def __init__(self, scope: Construct, id: str, config: StageConfig) -> None:
        super().__init__(scope, id)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            user_pool_name=resource_name(config.stage, "users"),
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            custom_attributes={"organisation": cognito.StringAttribute(max_len=16, mutable=True)},
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
            ),
            feature_plan=cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=cognito.StandardThreatProtectionMode.FULL_FUNCTION,
            deletion_protection=config.protected,
            removal_policy=RemovalPolicy.RETAIN if config.protected else RemovalPolicy.DESTROY,
        )
        for role in sorted(ROLES):
            cognito.CfnUserPoolGroup(
                self, f"Group-{role}", user_pool_id=self.pool.user_pool_id, group_name=role
            )
        readable = cognito.ClientAttributes().with_standard_attributes(email=True)
        self.client = self.pool.add_client(
            "Apps",
            user_pool_client_name=resource_name(config.stage, "apps"),
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_srp=True),
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.minutes(60),
            access_token_validity=Duration.minutes(60),
            refresh_token_validity=Duration.days(1),
            read_attributes=readable.with_custom_attributes("organisation"),
            write_attributes=readable,
        )
