"""The saga settle_trade: from a quote that a buyer has taken to credits in its account."""
