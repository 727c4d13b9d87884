"""Statements of ratings in the bucket of evidence: ``ratings/<name>.json``, put only where there is none."""

from __future__ import annotations

from typing import Any


class S3RatingEvidence:
    """The :class:`carbonmarket.ports.ratings.RatingEvidence` in a bucket. ``client`` is boto3's for S3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, name: str, content: bytes) -> bytes:
        key = f"ratings/{name}.json"
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="application/json", IfNoneMatch="*"
            )
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            kept: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return kept
        return content
