"""Methodology versions: how measured energy becomes grams of CO2e."""

from carbonmarket.methodologies.registry import ALL, FORMULA_LINEAR, Methodology, get, recompute

__all__ = ["ALL", "FORMULA_LINEAR", "Methodology", "get", "recompute"]
