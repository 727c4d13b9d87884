"""Adapters: each reaches one outside system and returns the core's records."""
