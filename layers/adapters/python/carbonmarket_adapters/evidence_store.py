"""Evidence in S3, under object lock, and the secret that leaf salts come from.

Keys: ``messages/<project>/<hour>/<gateway>-<sequence>-<hash>.json`` and
``anchors/<project>/<hour>/<part>.json``. Objects are put only where there are none, so what an anchor
commits to is never written over.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from carbonmarket import times
from carbonmarket.errors import Conflict, NotFound
from carbonmarket.records.devices import MessageRef

A = TypeVar("A")
B = TypeVar("B")
# botocore keeps 10 connections; more threads would only wait for one.
_THREADS = 8
_HASH_DIGITS = 16


class S3Evidence:
    """The :class:`carbonmarket.ports.evidence.EvidenceStore` in a bucket. ``client`` is boto3's for S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="evidence")

    def put_messages(self, project: str, messages: Mapping[tuple[str, int, str, int], bytes]) -> None:
        self._all(
            lambda item: self._put(message_key(project, *item[0]), item[1], named_by_hash=True),
            messages.items(),
        )

    def messages(self, project: str, refs: Sequence[MessageRef]) -> dict[tuple[str, int, str], bytes]:
        wanted = {(ref.gateway, ref.sequence, ref.hash, ref.hour_us) for ref in refs}

        def load(key: tuple[str, int, str, int]) -> tuple[tuple[str, int, str], bytes]:
            content = self._get(message_key(project, *key))
            if content is None:
                raise NotFound(f"the evidence lacks message {key[1]} of gateway {key[0]}")
            return key[:3], content

        return dict(self._all(load, wanted))

    def put_parts(self, project: str, parts: Mapping[tuple[int, int], bytes]) -> dict[tuple[int, int], str]:
        def put(item: tuple[tuple[int, int], bytes]) -> tuple[tuple[int, int], str]:
            key = part_key(project, *item[0])
            self._put(key, item[1], named_by_hash=False)
            return item[0], key

        return dict(self._all(put, parts.items()))

    def part(self, project: str, hour_us: int, part: int) -> bytes | None:
        return self._get(part_key(project, hour_us, part))

    def _all(self, work: Callable[[A], B], items: Iterable[A]) -> list[B]:
        listed = list(items)
        if len(listed) < 2:
            return [work(item) for item in listed]
        return list(self._threads.map(work, listed))

    def _put(self, key: str, content: bytes, *, named_by_hash: bool) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            # A message's key holds its hash, so what is there is the same; a part's is compared.
            if not named_by_hash and self._get(key) != content:
                raise Conflict(f"the evidence {key} was written before with other content") from error

    def _get(self, key: str) -> bytes | None:
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except self._client.exceptions.NoSuchKey:
            return None
        content: bytes = body.read()
        return content


class MasterSecretSalts:
    """The :class:`carbonmarket.ports.evidence.SaltSecrets` of one master secret (32 bytes or more).

    A project's secret is HMAC-SHA-256(master, project), so one can be handed over without the others.
    """

    def __init__(self, master: bytes) -> None:
        self._master = master

    def of(self, project: str) -> bytes:
        return hmac.digest(self._master, b"carbonmarket evidence salt " + project.encode(), "sha256")


def message_key(project: str, gateway: str, sequence: int, message_hash: str, hour_us: int) -> str:
    """Where a signed message stands in the bucket."""
    name = f"{gateway}-{sequence}-{message_hash[:_HASH_DIGITS]}.json"
    return f"messages/{project}/{_hour(hour_us)}/{name}"


def part_key(project: str, hour_us: int, part: int) -> str:
    """Where a part's evidence stands in the bucket."""
    return f"anchors/{project}/{_hour(hour_us)}/{part}.json"


def _hour(hour_us: int) -> str:
    return times.format_us(hour_us)[:13]
