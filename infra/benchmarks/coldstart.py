"""What a Lambda function's first request waits for: its imports, and its first call to DynamoDB."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from carbonmarket.settings import Settings
from infra.declarations import HTTP_APPS

_IMPORT = """
import time
began = time.perf_counter()
import {module}
print(round((time.perf_counter() - began) * 1000))
"""

_FIRST_REQUEST = """
import time
began = time.perf_counter()
import {module}
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind
from carbonmarket.records.registry import Project
from carbonmarket.settings import Settings
import os
DocumentTable(Settings.from_env(os.environ), "registry").get(Kind("project", Project), "project", "none")
print(round((time.perf_counter() - began) * 1000))
"""


def _fresh_process_ms(program: str, environment: dict[str, str]) -> int:
    """What the program prints last, run in a new interpreter."""
    answer = subprocess.run(  # noqa: S603 - our own program text
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(answer.stdout.split()[-1])


def bench_cold_start(settings: Settings) -> dict[str, Any]:
    """Milliseconds per HTTP function: import alone, and import with the first DynamoDB request."""
    environment = {
        **settings.to_env(),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "POWERTOOLS_TRACE_DISABLED": "1",
    }
    return {
        app.name: {
            "import_ms": _fresh_process_ms(_IMPORT.format(module=app.module), environment),
            "import_and_first_request_ms": _fresh_process_ms(
                _FIRST_REQUEST.format(module=app.module), environment
            ),
        }
        for app in HTTP_APPS
    }
