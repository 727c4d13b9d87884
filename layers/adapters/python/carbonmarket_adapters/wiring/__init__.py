"""The one place where adapters are chosen: by settings, lazily, never at import.

One module per context; this one holds what all of them share.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from carbonmarket.settings import Settings


@functools.cache
def settings() -> Settings:
    """This process' settings, read once, at the first use."""
    return Settings.from_env(os.environ)


@functools.cache
def aws(service: str) -> Any:
    """A boto3 client of ``service`` ("s3", "stepfunctions", …), made once per process.

    Clients are safe to share between threads. Retries and timeouts are bounded, so that a dead engine is
    reported while the caller still listens.
    """
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    chosen = settings()
    return boto3.client(
        service,
        region_name=chosen.aws_region,
        endpoint_url=chosen.aws_endpoint_url or None,
        config=Config(
            connect_timeout=2,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": "path" if chosen.aws_endpoint_url else "auto"},
            signature_version="s3v4" if service == "s3" else None,
        ),
    )
