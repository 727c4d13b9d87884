"""HTTP: quotes and purchases by card, payouts to sellers, cases, and the payment provider's webhooks."""
