"""The saga retire: from an order to a certificate."""
