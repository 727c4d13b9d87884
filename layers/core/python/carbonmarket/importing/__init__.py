"""Issuances of other registries, read from the files they publish, so that their credits can be traded here.

Nothing of them was measured here, and nothing is taken on trust silently: a row that can't be imported is
named with its number, its field and the reason.
"""
