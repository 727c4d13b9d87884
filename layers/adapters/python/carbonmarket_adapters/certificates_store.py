"""Certificates in S3, locked: what was once issued can't be replaced by anybody for ten years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from carbonmarket.errors import Conflict
from carbonmarket.settings import Settings

LOCKED_DAYS = 3_653
LINK_S = 900
MEDIA_TYPES = {
    "certificate.json": "application/json",
    "certificate.pdf": "application/pdf",
    "evidence.zip": "application/zip",
}


class S3Certificates:
    """The :class:`carbonmarket.ports.documents.CertificateFiles` over S3 with object lock."""

    def __init__(self, settings: Settings, s3: Any) -> None:
        self._s3 = s3
        self._bucket = settings.prefix + "certificates"

    def put(self, retirement: str, name: str, content: bytes) -> None:
        kept = self.get(retirement, name)
        if kept == content:
            return
        if kept is not None:
            raise Conflict(f"{name} of {retirement} was issued before with other bytes")
        self._s3.put_object(
            Bucket=self._bucket,
            Key=f"{retirement}/{name}",
            Body=content,
            ContentType=MEDIA_TYPES[name],
            ChecksumAlgorithm="SHA256",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=LOCKED_DAYS),
        )

    def get(self, retirement: str, name: str) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=f"{retirement}/{name}")
        except self._s3.exceptions.NoSuchKey:
            return None
        return bytes(answer["Body"].read())

    def link(self, retirement: str, name: str) -> str:
        url: str = self._s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": f"{retirement}/{name}",
                "ResponseContentDisposition": f'attachment; filename="{retirement}-{name}"',
            },
            ExpiresIn=LINK_S,
        )
        return url
