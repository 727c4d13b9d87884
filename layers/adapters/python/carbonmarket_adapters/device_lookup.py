"""Gateways and devices kept in memory for a while, since every message asks for them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from carbonmarket.ports.devices import DevicesStore
from carbonmarket.records.devices import Device, Gateway

FRESH_SECONDS = 30
"""A revoked gateway or an ended device is still taken for at most so long."""


class CachedLookup:
    """The :class:`carbonmarket.ports.devices.DeviceLookup` over a store. What is absent is asked anew each
    time, so that a new device reports at once."""

    def __init__(self, store: DevicesStore) -> None:
        self._store = store
        self._gateways: dict[str, tuple[float, Gateway]] = {}
        self._devices: dict[str, tuple[float, dict[str, Device]]] = {}

    def gateway(self, gateway: str) -> Gateway | None:
        kept = self._gateways.get(gateway)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        found = self._store.gateway(gateway)
        if found is not None:
            self._gateways[gateway] = (time.monotonic() + FRESH_SECONDS, found)
        return found

    def devices_named(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Device]:
        found: dict[tuple[str, str], Device] = {}
        for project, name in keys:
            devices = self._devices_of(project)
            if name not in devices:
                device = self._store.device(project, name)
                if device is None:
                    continue
                devices[name] = device
            found[(project, name)] = devices[name]
        return found

    def _devices_of(self, project: str) -> dict[str, Device]:
        kept = self._devices.get(project)
        if kept is None or time.monotonic() >= kept[0]:
            devices = {device.id: device for device in self._store.devices(project)}
            kept = (time.monotonic() + FRESH_SECONDS, devices)
            self._devices[project] = kept
        return kept[1]
