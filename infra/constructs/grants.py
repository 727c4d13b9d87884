"""From a declared grant to the statements of an IAM policy: every action named, every resource named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from aws_cdk import Acknowledgment, Stack, Token
from aws_cdk import aws_iam as iam

from carbonmarket.records.accounts import ORGANISATION_PREFIX
from infra import actions
from infra.declarations import Grant, Kind, resource_name


class GrantRefused(Exception):
    """A declared grant that no policy is known for."""


@dataclass(frozen=True)
class Resources:
    """The ARNs of what one stage has made, by short name."""

    tables: dict[str, str] = field(default_factory=dict)
    buckets: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    # The key that tables, buckets and secrets are encrypted with.
    storage_key: str = ""


def statements(
    stack: Stack, stage: str, grants: Iterable[Grant], made: Resources
) -> list[iam.PolicyStatement]:
    """The least that the grants say, storage encryption included."""
    granted = list(grants)
    found = [statement for grant in granted for statement in _of(stack, stage, grant, made)]
    if any(grant.kind in {"table", "bucket", "custody", "secret"} for grant in granted):
        found.append(_storage(stack, made))
    return found


def _of(stack: Stack, stage: str, grant: Grant, made: Resources) -> list[iam.PolicyStatement]:
    name, access = grant.name, grant.access

    def saga() -> str:
        # By its name: the sagas stand in a stack that needs the functions first.
        return named_arn(stack, "states", f"stateMachine:{resource_name(stage, name)}")

    makers: dict[Kind, Callable[[], list[iam.PolicyStatement]]] = {
        "table": lambda: [
            _allow(actions.TABLE[access], made.tables[name], f"{made.tables[name]}/index/gsi1")
        ],
        "bucket": lambda: _bucket(grant, made.buckets[name]),
        "queue": lambda: [_allow(actions.QUEUE[access], made.queues[name])],
        "key": lambda: [_allow(actions.KEY[access], made.keys[name])],
        "custody": lambda: _custody(grant, made),
        "secret": lambda: [_allow(actions.SECRET[access], made.secrets[name])],
        "state_machine": lambda: [_allow(actions.STATE_MACHINE[access], saga())],
        "device_registry": lambda: _device_registry(stack, stage, name),
    }
    try:
        return makers[grant.kind]()
    except KeyError as error:
        raise GrantRefused(f"{grant} can't be granted: {error} is not known") from None


def _bucket(grant: Grant, arn: str) -> list[iam.PolicyStatement]:
    found = [_allow(actions.OBJECT[grant.access], f"{arn}/*")]
    if grant.access != "append":
        # Without it S3 answers 403 instead of 404 for what is not there.
        found.append(_allow(("s3:ListBucket",), arn))
    return found


def _custody(grant: Grant, made: Resources) -> list[iam.PolicyStatement]:
    """Organisations' sealed keys: who adds one can't open it, and who opens one can't put another there.

    KMS is asked about organisations' keys alone, by an encryption context that names the key and no more.
    """
    on_table, on_key = actions.CUSTODY[grant.access]
    for_organisations = {
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["key"]},
        "StringLike": {"kms:EncryptionContext:key": f"{ORGANISATION_PREFIX}*"},
    }
    return [
        _allow(on_table, made.tables[grant.name]),
        _allow(on_key, made.keys[grant.name], conditions=for_organisations),
    ]


def _device_registry(stack: Stack, stage: str, policy_name: str) -> list[iam.PolicyStatement]:
    policy = named_arn(stack, "iot", f"policy/{resource_name(stage, policy_name)}")
    return [
        _allow(("iot:CreateThing",), named_arn(stack, "iot", "thing/GW*")),
        # The one policy that may be given, to any certificate.
        _allow(("iot:AttachPolicy",), policy, named_arn(stack, "iot", "cert/*")),
        # IoT lets these three name no resource.
        _allow(("iot:AttachThingPrincipal", "iot:CreateCertificateFromCsr", "iot:DescribeEndpoint"), "*"),
    ]


def _storage(stack: Stack, made: Resources) -> iam.PolicyStatement:
    services = [f"{name}.{stack.region}.amazonaws.com" for name in ("dynamodb", "s3", "secretsmanager")]
    return _allow(
        ("kms:Decrypt", "kms:GenerateDataKey"),
        made.storage_key,
        conditions={"StringEquals": {"kms:ViaService": services}},
    )


# Why a statement may end in a wildcard; the tests hold the policies to this list.
WILDCARDS = {
    ":s3:::": "Objects are named at run time.",
    ":iot:": "Gateways and their certificates come at run time.",
    "*": "X-Ray and IoT's certificate calls take no resource.",
}


def acknowledgments(stack: Stack, statements: Iterable[iam.PolicyStatement]) -> list[Acknowledgment]:
    """cdk-nag's findings of the wildcards in the statements, each with its reason."""
    found = {}
    for statement in statements:
        for resource in statement.resources:
            if resource.endswith("*"):
                reason = next(reason for part, reason in WILDCARDS.items() if part in resource)
                found[_as_nag_writes(stack, resource)] = reason
    return [
        Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource}]", reason=reason)
        for resource, reason in sorted(found.items())
    ]


def _as_nag_writes(stack: Stack, arn: str) -> str:
    written = arn.replace(stack.partition, "<AWS::Partition>")
    if Token.is_unresolved(stack.account):
        written = written.replace(stack.account, "<AWS::AccountId>")
    return written


def named_arn(stack: Stack, service: str, resource: str) -> str:
    """The ARN of a resource by its name, in the stack's account and region."""
    return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"


def _allow(
    allowed: Iterable[str], *resources: str, conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(allowed), resources=list(resources), conditions=conditions)
