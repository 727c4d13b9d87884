"""The evidence of a certificate: ``evidence.zip``, from the gateways' signed messages to the anchored roots.

    manifest.json              SHA-256 of every other entry; the certificate signs this file's hash
    report.json                the monitoring report (canonical JSON)
    methodology.md             the document of the methodology version
    anchors.json               the period's anchored parts, each with its leaves in tree order
    salts.json                 the salt of each (gateway, sequence, device)
    transactions.json          the transactions of issuance and retirement as the node gave them
    messages/<gateway>/<sequence>.json

The archive has one form: entries sorted, stored, without dates. A reader builds it again from what it read
and compares, so that no byte hides between entries, behind the end or in a comment.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from carbonmarket import canonical, merkle
from carbonmarket.errors import InvalidInput

MAX_BYTES = 512 * 1024 * 1024
_MANIFEST = "manifest.json"
_FIXED = ("anchors.json", "methodology.md", "report.json", "salts.json", "transactions.json")
_MESSAGE = re.compile(r"messages/(?P<gateway>[A-Za-z0-9_-]{1,64})/(?P<sequence>[0-9]{16})\.json")
_SEQUENCE_DIGITS = 16
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3

Natural = Annotated[int, msgspec.Meta(ge=0)]
Second = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Seconds since 1970, up to the end of the year 9999."""


class BrokenBundle(InvalidInput):
    """The archive is not one that was written here, byte for byte."""

    code = "broken-evidence"


class LeafRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A leaf: reading number ``index`` of message ``sequence`` of ``gateway``."""

    gateway: str
    sequence: Natural
    index: Natural


class Anchor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One anchored part of an hour. ``hour`` is in seconds since 1970; the sums are strings of µJ.

    ``leaves`` are in the order of the tree whose ``root`` (hex) stands on chain.
    """

    hour: Second
    part: Natural
    root: str
    count: Natural
    positive_uj: str
    negative_uj: str
    uri: str
    transaction: str
    leaves: tuple[LeafRef, ...]


class Salt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The salt (hex) of one device's readings in one message."""

    gateway: str
    sequence: Natural
    device: str
    salt: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds. ``messages`` are wire bytes by (gateway, sequence)."""

    report: bytes
    methodology_document: bytes
    anchors: tuple[Anchor, ...]
    salts: tuple[Salt, ...]
    messages: Mapping[tuple[str, int], bytes]
    transactions: Mapping[str, Any]


def anchors_root(project: str, anchors: Iterable[Anchor]) -> bytes:
    """The root (32 bytes) over a period's anchors in the order of (hour, part), which certificates name."""
    ordered = sorted(anchors, key=lambda anchor: (anchor.hour, anchor.part))
    return merkle.root([merkle.leaf_hash(canonical.dumps(_anchored(project, anchor))) for anchor in ordered])


def write(evidence: Evidence) -> bytes:
    """The archive: the same bytes for the same evidence, whenever and wherever it is written."""
    entries = _entries(evidence)
    return _archive(entries | {_MANIFEST: _manifest(entries)})


def manifest_hash(archive: bytes) -> bytes:
    """SHA-256 (32 bytes) of the archive's manifest, which certificates sign. Checks the form first."""
    return hashlib.sha256(_read_entries(archive)[_MANIFEST]).digest()


def read(archive: bytes) -> Evidence:
    """The evidence in ``archive``; BrokenBundle where any byte is not as ``write`` would have written it."""
    entries = _read_entries(archive)
    messages: dict[tuple[str, int], bytes] = {}
    for path, content in entries.items():
        match = _MESSAGE.fullmatch(path)
        if match:
            messages[match["gateway"], int(match["sequence"])] = content
        elif path not in _FIXED and path != _MANIFEST:
            raise BrokenBundle(f"the evidence holds an entry that no bundle has: {path!r}", field=path)
    try:
        return Evidence(
            report=entries["report.json"],
            methodology_document=entries["methodology.md"],
            anchors=_parse(entries, "anchors.json", tuple[Anchor, ...]),
            salts=_parse(entries, "salts.json", tuple[Salt, ...]),
            messages=messages,
            transactions=_parse(entries, "transactions.json", dict[str, Any]),
        )
    except KeyError as missing:
        raise BrokenBundle(f"the evidence lacks {missing.args[0]}", field=str(missing.args[0])) from None


def _anchored(project: str, anchor: Anchor) -> dict[str, Any]:
    return {
        "project": project,
        "hour": anchor.hour,
        "part": anchor.part,
        "root": anchor.root,
        "count": anchor.count,
        "positive_uj": anchor.positive_uj,
        "negative_uj": anchor.negative_uj,
    }


def _entries(evidence: Evidence) -> dict[str, bytes]:
    entries = {
        "report.json": evidence.report,
        "methodology.md": evidence.methodology_document,
        "anchors.json": canonical.dumps(msgspec.to_builtins(evidence.anchors)),
        "salts.json": canonical.dumps(msgspec.to_builtins(evidence.salts)),
        "transactions.json": canonical.dumps(dict(evidence.transactions)),
    }
    for (gateway, sequence), content in evidence.messages.items():
        entries[f"messages/{gateway}/{sequence:0{_SEQUENCE_DIGITS}}.json"] = content
    return entries


def _manifest(entries: Mapping[str, bytes]) -> bytes:
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in entries.items()}
    return canonical.dumps({"version": 1, "entries": hashes})


def _archive(entries: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(entries):
            info = zipfile.ZipInfo(path, date_time=_FIRST_DATE)
            info.create_system = _UNIX
            info.external_attr = 0o644 << 16
            archive.writestr(info, entries[path])
    return buffer.getvalue()


def _read_entries(archive: bytes) -> dict[str, bytes]:
    if len(archive) > MAX_BYTES:
        raise BrokenBundle(f"the evidence has {len(archive)} bytes; at most {MAX_BYTES} are read")
    entries: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for info in opened.infolist():
                # Stored entries can't grow beyond the archive; anything else was not written here.
                if info.compress_type != zipfile.ZIP_STORED or info.filename in entries:
                    raise BrokenBundle(f"entry {info.filename!r} is compressed or stands twice")
                entries[info.filename] = opened.read(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise BrokenBundle(f"the evidence is no whole zip archive: {error}") from None
    if _MANIFEST not in entries:
        raise BrokenBundle("the evidence has no manifest.json", field=_MANIFEST)
    _check_manifest(entries)
    if _archive(entries) != archive:
        raise BrokenBundle("the evidence holds bytes outside its entries, or headers that were changed")
    return entries


def _check_manifest(entries: Mapping[str, bytes]) -> None:
    content = {path: data for path, data in entries.items() if path != _MANIFEST}
    if entries[_MANIFEST] == _manifest(content):
        return
    listed = canonical.loads(entries[_MANIFEST], "manifest.json")
    hashes = listed.get("entries") if isinstance(listed, dict) else None
    if not isinstance(hashes, dict):
        raise BrokenBundle("manifest.json does not have the form of one", field=_MANIFEST)
    for path, data in content.items():
        if path not in hashes:
            raise BrokenBundle(f"{path} is not listed in the manifest", field=path)
        if hashes[path] != hashlib.sha256(data).hexdigest():
            raise BrokenBundle(f"{path} was changed: its hash is not the manifest's", field=path)
    raise BrokenBundle("the manifest lists an entry that is not there, or has another form", field=_MANIFEST)


def _parse(entries: Mapping[str, bytes], path: str, form: Any) -> Any:
    try:
        return msgspec.convert(canonical.loads(entries[path], path), form)
    except msgspec.ValidationError as error:
        raise BrokenBundle(f"{path} does not have its form: {error}", field=path) from None
