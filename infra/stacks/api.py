"""What the world reaches: the REST API, built from the routes of the Chalice apps."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Acknowledgment, CfnOutput, RemovalPolicy, Stack, Validations
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from carbonmarket import schema
from carbonmarket.errors import PROBLEM_BASE
from carbonmarket_adapters.http.api import CORS_HEADERS
from infra.constructs.firewall import Firewall
from infra.constructs.models import draft_4
from infra.constructs.routes import Route, binary_types, routes
from infra.constructs.users import Users
from infra.declarations import Declarations, resource_name
from infra.stacks.functions import FunctionsStack
from infra.stages import DEVELOPMENT_AUTHORIZER, StageConfig

# What API Gateway itself answers, as the problems that the functions would answer: status, code.
_REFUSALS = {
    "UNAUTHORIZED": ("401", "not-authenticated"),
    "EXPIRED_TOKEN": ("401", "not-authenticated"),
    "BAD_REQUEST_BODY": ("422", "invalid-input"),
    "BAD_REQUEST_PARAMETERS": ("400", "idempotency-key-missing"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "not-found"),
    "THROTTLED": ("429", "too-many-requests"),
    "WAF_FILTERED": ("403", "filtered"),
    "DEFAULT_4XX": (None, "bad-request"),
    "DEFAULT_5XX": (None, "unexpected"),
}
_OPEN = "Browsers ask OPTIONS without a token, and the API's public operations are for anybody."
# Neither addresses nor identities: an access log is no place for personal data.
_ACCESS_LOG = {
    "request": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "length": "$context.responseLength",
    "error": "$context.error.responseType",
}


class ApiStack(Stack):
    """``api`` is the REST API; ``users`` the pool that its callers are of."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        declared: Declarations,
        functions: FunctionsStack,
        **told: Any,
    ) -> None:
        super().__init__(scope, id, **told)
        self._config = config
        self.users = Users(self, "users", config)
        self.api = self._rest_api(binary_types(declared.http_apps))
        self._authorizer = self._user_pool_authorizer()
        # One permission for a function, not one for each of its routes.
        integrations = {
            app.name: apigateway.LambdaIntegration(
                functions.functions[app.name], scope_permission_to_method=False
            )
            for app in declared.http_apps
        }
        self._bodies = self.api.add_request_validator(
            "body", validate_request_body=True, validate_request_parameters=True
        )
        self._parameters = self.api.add_request_validator(
            "parameters", validate_request_body=False, validate_request_parameters=True
        )
        for route in routes(declared.http_apps):
            self._method(route, integrations[route.app])
        self._refusals()
        waf.CfnWebACLAssociation(
            self,
            "firewall-association",
            resource_arn=self.api.deployment_stage.stage_arn,
            web_acl_arn=Firewall(self, "firewall", config).arn,
        )
        for name, value in {
            "ApiUrl": config.public_url,
            "ApiTarget": self.api.domain_name.domain_name_alias_domain_name if self.api.domain_name else "",
            "UserPoolId": self.users.pool.user_pool_id,
            "UserPoolClientId": self.users.client.user_pool_client_id,
        }.items():
            CfnOutput(self, name, value=value)

    def _rest_api(self, binary: list[str]) -> apigateway.RestApi:
        config = self._config
        access_log = logs.LogGroup(
            self,
            "access-log",
            log_group_name=f"/aws/apigateway/{resource_name(config.stage, 'api')}",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        certificate = ssm.StringParameter.value_for_string_parameter(
            self, config.parameter("certificate-arn")
        )
        api = apigateway.RestApi(
            self,
            "api",
            rest_api_name=resource_name(config.stage, "api"),
            endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            # Certificates name the domain for ever: nobody shall come to know another address.
            disable_execute_api_endpoint=True,
            domain_name=apigateway.DomainNameOptions(
                domain_name=config.domain,
                certificate=acm.Certificate.from_certificate_arn(self, "certificate", certificate),
                security_policy=apigateway.SecurityPolicy.TLS_1_2,
                endpoint_type=apigateway.EndpointType.REGIONAL,
            ),
            binary_media_types=binary,
            default_cors_preflight_options=apigateway.CorsOptions(
                allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=CORS_HEADERS
            ),
            # Of the whole account: without it no stage of any API may log.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
            deploy_options=apigateway.StageOptions(
                stage_name=config.stage,
                tracing_enabled=True,
                metrics_enabled=True,
                data_trace_enabled=False,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                throttling_rate_limit=config.requests_per_second,
                throttling_burst_limit=config.burst,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )
        Validations.of(api).acknowledge(
            *(Acknowledgment(id=rule, reason=_OPEN) for rule in ("AwsSolutions-APIG4", "AwsSolutions-COG4")),
            Acknowledgment(
                id="AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]",
                reason="API Gateway documents this policy for its account's role; it may write logs only.",
            ),
        )
        return api

    def _user_pool_authorizer(self) -> apigateway.CognitoUserPoolsAuthorizer | None:
        if self._config.authorizer == DEVELOPMENT_AUTHORIZER:
            return None
        return apigateway.CognitoUserPoolsAuthorizer(
            self,
            "authorizer",
            authorizer_name=resource_name(self._config.stage, "users"),
            cognito_user_pools=[self.users.pool],
        )

    def _method(self, route: Route, integration: apigateway.Integration) -> None:
        operation = route.operation
        parameters = {f"method.request.querystring.{name}": False for name in operation.query}
        if operation.paged:
            parameters |= {f"method.request.querystring.{name}": False for name in ("first", "after")}
        if route.method == "POST":
            header = operation.signed or "Idempotency-Key"
            # What is missing here is called a missing key; of signatures the operation says it.
            parameters[f"method.request.header.{header}"] = not operation.signed
        models = {}
        if operation.schema is not None:
            models["application/json"] = self._model(operation.name, operation.schema)
        guarded = not operation.public and self._authorizer is not None
        self.api.root.resource_for_path(route.path).add_method(
            route.method,
            integration,
            operation_name=operation.name,
            authorization_type=apigateway.AuthorizationType.COGNITO
            if guarded
            else apigateway.AuthorizationType.NONE,
            authorizer=self._authorizer if guarded else None,
            request_models=models or None,
            request_parameters=parameters or None,
            request_validator=self._bodies if models else self._parameters,
        )

    def _model(self, operation: str, schema_name: str) -> apigateway.IModel:
        # Model names are letters and digits.
        name = operation.title().replace("_", "")
        draft = draft_4(schema.load(schema_name), name)
        model = apigateway.CfnModel(
            self,
            f"model-{operation}",
            rest_api_id=self.api.rest_api_id,
            name=name,
            content_type="application/json",
            schema=draft,
        )
        # A stage goes on with the models of its deployment, so a schema that changes makes a new one.
        if deployment := self.api.latest_deployment:
            deployment.add_to_logical_id({name: draft})
            deployment.node.add_dependency(model)
        return apigateway.Model.from_model_name(self, f"model-{operation}-name", model.ref)

    def _refusals(self) -> None:
        for kind, (status, code) in _REFUSALS.items():
            # messageString is quoted and escaped by API Gateway.
            body = (
                f'{{"type":"{PROBLEM_BASE}{code}","title":"{code.replace("-", " ")}",'
                + (f'"status":{status},' if status else "")
                + '"detail":$context.error.messageString,"instance":"urn:request:$context.requestId"}'
            )
            self.api.add_gateway_response(
                f"refusal-{kind}",
                type=apigateway.ResponseType.of(kind),
                status_code=status,
                response_headers={
                    "Access-Control-Allow-Origin": "'*'",
                    "Content-Type": "'application/problem+json'",
                },
                templates={"application/json": body},
            )
