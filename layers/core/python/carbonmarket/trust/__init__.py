"""Whose certificates are believed: the production keys that ship with the package, and the user's own.

A trust store is a JSON object of keys and labels: ``{"z6Mk…": "Carbonmarket production"}``. Keys never come
from a certificate or its evidence: a bundle that a stranger signed anew must fail.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from carbonmarket.certificate import multikey
from carbonmarket.errors import InvalidInput, NotFound

TrustStore = dict[str, str]
"""Keys in Multikey form, each with the label that a person gave it."""


def production() -> TrustStore:
    """The keys that ship with this package: those of the production stage."""
    return parse(resources.files(__name__).joinpath("production.json").read_text(), "the package's keys")


def parse(text: str, what: str = "the trust store") -> TrustStore:
    """The store in ``text``; InvalidInput where it is no object of keys and labels."""
    try:
        store = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{what} is not JSON: {error}") from None
    if not isinstance(store, dict) or not all(isinstance(label, str) for label in store.values()):
        raise InvalidInput(f'{what} must be an object of keys and labels: {{"z6Mk…": "name"}}')
    for key in store:
        multikey.decode(key)
    return store


def load(path: Path) -> TrustStore:
    """The user's store; empty where the file isn't there yet."""
    if not path.exists():
        return {}
    return parse(path.read_text(), str(path))


def add(store: TrustStore, key: str, label: str) -> TrustStore:
    """``store`` with ``key`` under ``label``; InvalidInput where it is no Ed25519 key."""
    multikey.decode(key)
    return store | {key: label}


def remove(store: TrustStore, key: str) -> TrustStore:
    """``store`` without ``key``; NotFound where it isn't in it."""
    if key not in store:
        raise NotFound(f"the trust store does not hold {key}")
    return {held: label for held, label in store.items() if held != key}


def save(path: Path, store: TrustStore) -> None:
    """Write the store whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(store, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
    draft.replace(path)
