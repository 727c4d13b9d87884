"""Documents and reports in S3: uploads by presigned URLs that fix the bytes' hash and type.

The bucket keeps every version; ``projects/<project>/<document>`` is written by the owner's PUT. S3 refuses an
upload whose SHA-256 differs from the signed header; completion hashes the stored bytes once more, since an
engine may not check.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from carbonmarket.ports.documents import StoredObject, Upload
from carbonmarket.settings import Settings

UPLOAD_S = 900
_CHUNK_BYTES = 1 << 20


class S3Documents:
    """The :class:`carbonmarket.ports.documents.DocumentFiles` over S3."""

    def __init__(self, settings: Settings, s3: Any) -> None:
        self._s3 = s3
        self._bucket = settings.prefix + "documents"

    def upload(self, project: str, document: str, *, media_type: str, sha256: str, now_us: int) -> Upload:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        url = self._s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": _key(project, document),
                "ContentType": media_type,
                "ChecksumSHA256": checksum,
            },
            ExpiresIn=UPLOAD_S,
        )
        return Upload(
            url=url,
            headers={"Content-Type": media_type, "x-amz-checksum-sha256": checksum},
            expires_us=now_us + UPLOAD_S * 1_000_000,
        )

    def stored(self, project: str, document: str) -> StoredObject | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=_key(project, document))
        except self._s3.exceptions.NoSuchKey:
            return None
        digest, size = hashlib.sha256(), 0
        for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        return StoredObject(sha256=digest.hexdigest(), size=size)


class S3Reports:
    """The :class:`carbonmarket.ports.documents.ReportFiles` in the bucket of evidence."""

    def __init__(self, settings: Settings, s3: Any) -> None:
        self._s3 = s3
        self._bucket = settings.prefix + "evidence"

    def put_report(self, project: str, period: str, report_hash: str, content: bytes) -> None:
        if self.report(project, period, report_hash) is None:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=_report_key(project, period, report_hash),
                Body=content,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
            )

    def report(self, project: str, period: str, report_hash: str) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=_report_key(project, period, report_hash))
        except self._s3.exceptions.NoSuchKey:
            return None
        return bytes(answer["Body"].read())


def _key(project: str, document: str) -> str:
    return f"projects/{project}/{document}"


def _report_key(project: str, period: str, report_hash: str) -> str:
    return f"reports/{project}/{period}/{report_hash}.json"
