"""The HTTP kit: what every HTTP app of the market has in common, so that a route is a few lines.

    api = Api("api_registry")
    app = api.app

    @api.post("/v1/projects", body=CreateProject, status=201)
    def create_project(call: Call) -> Answer | object:
        return show(create_project.create_project(call.body, caller=call.caller, …))

The kit proves the caller, checks the body against ``schemas/http/<operation>.json``, keeps the first answer
under the Idempotency-Key, and turns every refusal into problem+json.
"""

from carbonmarket_adapters.http.api import Answer, Api, Call, Operation
from carbonmarket_adapters.http.cursors import PageRequest, connection

__all__ = ["Answer", "Api", "Call", "Operation", "PageRequest", "connection"]
