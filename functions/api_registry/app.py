"""Organisations, projects with their documents and devices, periods, reviews and batches.

The routes of one context stand in one module each; importing them declares them.
"""

from __future__ import annotations

from functions.api_registry import organisations, periods, projects
from functions.api_registry.api import api

app = api.app

__all__ = ["app", "organisations", "periods", "projects"]
