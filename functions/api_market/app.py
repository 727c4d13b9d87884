"""The marketplace: what is on offer, books, orders, listings, gifts, wallets' transactions, portfolios.

The routes of one subject stand in one module each; importing them declares them.
"""

from __future__ import annotations

from functions.api_market import books, listings, offers, orders, portfolio, reputation, transactions
from functions.api_market.api import api

app = api.app

__all__ = ["app", "books", "listings", "offers", "orders", "portfolio", "reputation", "transactions"]
