"""Methodology versions: how measured energy becomes grams of CO2e. See ``registry``."""
