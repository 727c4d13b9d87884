"""Double entry: the chart of accounts, what a write does to balances, and the laws that books keep."""
