"""Daily: ledger, payment provider and the treasury on chain are compared, and the result published."""
