"""HTTP: the marketplace's offers, books, orders, listings, gifts, wallets and portfolios."""
