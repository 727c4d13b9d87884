"""The evidence archive: one byte form, and nothing hidden in it."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket.certificate import bundle
from carbonmarket.errors import InvalidInput
from tests.unit.evidence import world


@lru_cache(maxsize=1)
def true_world() -> world.World:
    return world.build()


def entries(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_the_archive_is_read_as_it_was_written_and_written_the_same_again() -> None:
    archive = true_world().evidence
    evidence = bundle.read(archive)
    assert evidence == true_world().parts
    assert bundle.write(evidence) == archive


@settings(max_examples=300)
@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    archive = bytearray(true_world().evidence)
    place = data.draw(st.integers(0, len(archive) - 1))
    archive[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidInput):
        bundle.read(bytes(archive))


def test_every_byte_of_the_central_directory_counts() -> None:
    archive = true_world().evidence
    start = archive.rindex(b"PK\x01\x02")
    for place in range(start, len(archive)):
        broken = bytearray(archive)
        broken[place] ^= 0x01
        with pytest.raises(InvalidInput):
            bundle.read(bytes(broken))


@pytest.mark.parametrize("extra", [b"\x00", b"PK", b"hello"])
def test_bytes_before_or_behind_the_archive_are_found(extra: bytes) -> None:
    archive = true_world().evidence
    for changed in (archive + extra, extra + archive):
        with pytest.raises(bundle.BrokenBundle):
            bundle.read(changed)


def test_an_unlisted_entry_is_named() -> None:
    content = entries(true_world().evidence) | {"note.txt": b"hello"}
    with pytest.raises(bundle.BrokenBundle, match=r"note\.txt is not listed"):
        bundle.read(zipped(content))


def test_a_changed_entry_is_named() -> None:
    content = entries(true_world().evidence)
    content["report.json"] = content["report.json"].replace(b"inv-1", b"inv-2")
    with pytest.raises(bundle.BrokenBundle, match=r"report\.json was changed"):
        bundle.read(zipped(content))


def test_a_missing_entry_is_found() -> None:
    content = entries(true_world().evidence)
    del content["salts.json"]
    with pytest.raises(bundle.BrokenBundle, match="not there"):
        bundle.read(zipped(content))


def test_a_compressed_archive_and_a_comment_are_refused() -> None:
    content = entries(true_world().evidence)
    with pytest.raises(bundle.BrokenBundle, match="compressed"):
        bundle.read(zipped(content, zipfile.ZIP_DEFLATED))
    with pytest.raises(bundle.BrokenBundle, match="headers"):
        bundle.read(zipped(content))


@pytest.mark.parametrize("data", [b"", b"PK", b"hello", b"\x00" * 100])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(bundle.BrokenBundle, match="no whole zip archive"):
        bundle.read(data)
