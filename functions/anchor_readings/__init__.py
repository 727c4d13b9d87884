"""Hourly: the roots of accepted readings go on chain."""
