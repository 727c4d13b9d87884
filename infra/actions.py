"""Which actions of AWS a declared grant stands for.

On AWS they become a function's policy, on one machine its calls are held to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.resources import Grant

_READ_TABLE = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
# A condition check is what a transaction asks of an item that it does not write.
_APPEND_TABLE = ("dynamodb:ConditionCheckItem", "dynamodb:PutItem")
_WRITE_TABLE = (*_APPEND_TABLE, "dynamodb:DeleteItem", "dynamodb:UpdateItem")
TABLE = {
    "read": _READ_TABLE,
    "scan": ("dynamodb:Scan",),
    "append": _APPEND_TABLE,
    "erase": ("dynamodb:DeleteItem",),
    "readwrite": (*_READ_TABLE, *_WRITE_TABLE),
}
_READ_OBJECT = ("s3:GetObject",)
_WRITE_OBJECT = ("s3:PutObject", "s3:PutObjectRetention")
OBJECT = {
    "read": _READ_OBJECT,
    "append": _WRITE_OBJECT,
    "readwrite": (*_READ_OBJECT, *_WRITE_OBJECT),
}
QUEUE = {
    "send": ("sqs:GetQueueUrl", "sqs:SendMessage"),
    "read": (
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ),
}
STATE_MACHINE = {
    "start": ("states:StartExecution",),
    "respond": ("states:SendTaskFailure", "states:SendTaskSuccess"),
}
SECRET = {"read": ("secretsmanager:GetSecretValue",)}
KEY = {
    "read": ("kms:GetPublicKey",),
    "sign": ("kms:GetPublicKey", "kms:Sign"),
    "crypt": ("kms:Decrypt", "kms:GenerateDataKey"),
    "decrypt": ("kms:Decrypt",),
}
# On the table and on the key. Reading tells a creator of the key that there is already.
CUSTODY = {
    "create": (("dynamodb:GetItem", "dynamodb:PutItem"), ("kms:GenerateDataKey",)),
    "sign": (("dynamodb:GetItem",), ("kms:Decrypt",)),
}
_BY_KIND: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "table": TABLE,
    "bucket": OBJECT,
    "queue": QUEUE,
    "key": KEY,
    "secret": SECRET,
    "state_machine": STATE_MACHINE,
    "custody": {access: (*on_table, *on_key) for access, (on_table, on_key) in CUSTODY.items()},
}


def granted(grants: Iterable[Grant]) -> dict[str, list[str]]:
    """The short names of the resources that each action is granted on."""
    found: dict[str, set[str]] = {}
    for grant in grants:
        # One machine has an authority of its own for gateways' certificates, and calls no AWS for them.
        for action in _BY_KIND.get(grant.kind, {}).get(grant.access, ()):
            found.setdefault(action, set()).add(grant.name)
    return {action: sorted(names) for action, names in found.items()}
