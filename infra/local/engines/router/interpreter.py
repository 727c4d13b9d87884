"""moto's interpreter of the Amazon States Language, set up to run in this process.

Its clients are pointed at the router (it would call ``http://localhost:$MOTO_PORT``), kept between calls
(making one costs more than a step), and JSONata, which moto 5.2.5 leaves without an engine, gets one.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable
from typing import Any

import boto3
import moto.stepfunctions.parser.asl.jsonata.jsonata as moto_jsonata
import moto.stepfunctions.parser.asl.utils.boto_client as moto_clients
from botocore.client import BaseClient
from botocore.config import Config
from jsonata import Jsonata
from moto.core.config import default_user_config

from infra.local.settings import ACCOUNT, CREDENTIALS, REGION

Finished = Callable[[str, str, str | None, str | None, str | None], None]


def install(router_url: str, lambda_url: str, finished: Finished) -> Any:
    """Make the interpreter ready and return moto's Step Functions backend.

    ``finished(arn, status, output JSON, error, cause)`` is called at the end of each execution. Lambda is
    called at ``lambda_url``, past the router, so that waiting sagas never hold its threads.
    """
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    _install_clients(router_url, lambda_url)
    _install_jsonata()
    # Only now: the interpreter's modules take boto_client_for by name when they are imported.
    from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
    from moto.stepfunctions.parser.backend import execution as moto_execution
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    worker: Any = moto_execution.BaseExecutionWorkerCommunication
    reflect = worker.terminated

    def terminated(self: Any) -> None:
        reflect(self)
        run = self.execution
        output = None if run.output is None else to_json_str(run.output, separators=(",", ":"))
        finished(run.exec_arn, run.exec_status.value, output, run.error, run.cause)

    worker.terminated = terminated
    return stepfunctions_parser_backends[ACCOUNT][REGION]


def _install_clients(router_url: str, lambda_url: str) -> None:
    lock = threading.Lock()

    @functools.cache
    def client(region: str, service: str) -> BaseClient:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=lambda_url if service == "lambda" else router_url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(
                parameter_validation=False,
                retries={"total_max_attempts": 1},
                connect_timeout=10,
                read_timeout=1000,
                max_pool_connections=300,
            ),
        )

    def boto_client_for(region: str, service: str, state_credentials: object = None) -> BaseClient:
        with lock:
            return client(region, service)

    moto_clients.boto_client_for = boto_client_for


def _install_jsonata() -> None:
    def evaluate(expression: str) -> Any:
        try:
            return json.loads(json.dumps(Jsonata(expression).evaluate(None)))
        except Exception as error:
            # Whatever the library raises, the saga sees States.QueryEvaluationError.
            raise moto_jsonata.JSONataException("UNKNOWN", str(error)) from error

    moto_jsonata._eval_jsonata = evaluate
