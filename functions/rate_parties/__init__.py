"""Hourly: what parties did becomes their reputation on chain."""
