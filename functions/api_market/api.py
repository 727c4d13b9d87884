"""The app that the modules beside this one declare their routes on."""

from __future__ import annotations

from carbonmarket_adapters.http import Api

api = Api("api_market")
