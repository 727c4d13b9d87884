"""What an auditor does with the demo's certificate: alone, offline, and against the chain."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket.certificate import bundle, credential, multikey
from carbonmarket.verification import Unreadable, verify_certificate
from infra.local.settings import free_ports
from tests.e2e.market import Market

PROGRAM = Path(sys.executable).parent / "carbonmarket"
GATEWAY_WAITS_S = 29
# Python refuses every socket where the system can't give a process without a network.
WITHOUT_SOCKETS = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise SystemExit("the network was asked for: " + event)
sys.addaudithook(refuse)
from infra.local.__main__ import main
main()
"""


@functools.cache
def offline() -> list[str]:
    """The command line of the program in a process that has no network."""
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [unshare, "-n", str(PROGRAM)]
    return [sys.executable, "-c", WITHOUT_SOCKETS]


def verify(command: list[str], *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [*command, "verify", *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(market: Market, tmp_path: Path) -> Path:
    """The certificate with its evidence beside it, to be spoilt."""
    for name in ("certificate.json", "evidence.zip"):
        shutil.copy(market.out / name, tmp_path / name)
    return tmp_path / "certificate.json"


def test_the_certificate_is_valid_in_a_process_without_a_network(market: Market) -> None:
    done = verify(offline(), "certificate.json", cwd=market.out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VALID: 123456 g (0.123456 t)" in done.stdout
    assert "from the 2948 readings" in done.stdout


def test_it_is_valid_against_the_chain_from_any_folder(market: Market, tmp_path: Path) -> None:
    node = market.machine.settings.node_url
    done = verify([str(PROGRAM)], market.certificate, "--node", node, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not checked" not in done.stdout


def test_the_api_verifies_it_for_whoever_asks(market: Market) -> None:
    began = time.monotonic()
    verified = market.told.cast.public.get(f"/v1/verify/{market.told.retirement['id']}")
    # A month has 744 hours, and API Gateway waits for 29 s; Lambda's processor is slower than most.
    assert time.monotonic() - began < GATEWAY_WAITS_S / 3
    assert verified["valid"] is True
    assert {link["status"] for link in verified["links"]} == {"passed"}


def test_a_stranger_to_the_key_is_told_how_to_trust_it(market: Market, tmp_path: Path) -> None:
    done = verify([str(PROGRAM)], market.certificate, "--store", tmp_path / "none.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "carbonmarket trust add z6Mk" in done.stdout


@pytest.mark.parametrize(
    ("before", "after", "link"),
    [
        (b'"grams":"123456"', b'"grams":"923456"', "proof"),
        (b'"country":"US"', b'"country":"NO"', "proof"),
        (b'"reason":"voluntary"', b'"reason":"voluntory"', "proof"),
        (b'"chainId":"4"', b'"chainId":"1"', "proof"),
        (b'"manifest":"', b'"manifest":"0', "canonical form"),
        (b'"issuer":"did:key:z6Mk', b'"issuer":"did:key:z6Mj', "proof"),
        (b'"validFrom":"2', b'"validFrom":"3', "proof"),
        (b'"proofValue":"z', b'"proofValue":"y', "proof"),
        (b'"grams":', b'"Grams":', "canonical form"),
        (b"}", b"} ", "canonical form"),
    ],
)
def test_a_changed_certificate_names_the_broken_link(
    copy: Path, before: bytes, after: bytes, link: str
) -> None:
    copy.write_bytes(copy.read_bytes().replace(before, after, 1))
    done = verify(offline(), copy, cwd=copy.parent)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"INVALID: broken: {link}" in done.stdout


def test_no_byte_of_the_certificate_can_be_changed(market: Market) -> None:
    true = market.certificate.read_bytes()
    trusted = json.loads(market.certificate.read_text())["issuer"].removeprefix("did:key:")
    assert verify_certificate(true, [trusted]).valid
    unnoticed = [at for at in range(len(true)) if passes(flipped(true, at), trusted)]
    assert unnoticed == []


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def passes(certificate: bytes, trusted: str) -> bool:
    try:
        return verify_certificate(certificate, [trusted]).valid
    except Unreadable:
        return False


Spoil = Callable[[bundle.Evidence], bundle.Evidence]


def with_another_report(true: bundle.Evidence) -> bundle.Evidence:
    return msgspec.structs.replace(true, report=true.report.replace(b'"519646"', b'"519647"'))


def with_another_reading(true: bundle.Evidence) -> bundle.Evidence:
    place, content = next(iter(true.messages.items()))
    changed = content.replace(b'"seconds":900', b'"seconds":901', 1)
    return msgspec.structs.replace(true, messages={**true.messages, place: changed})


def without_a_message(true: bundle.Evidence) -> bundle.Evidence:
    return msgspec.structs.replace(true, messages=dict(list(true.messages.items())[1:]))


def with_another_salt(true: bundle.Evidence) -> bundle.Evidence:
    first, *rest = true.salts
    return msgspec.structs.replace(true, salts=(msgspec.structs.replace(first, salt="00" * 32), *rest))


def with_another_root(true: bundle.Evidence) -> bundle.Evidence:
    first, *rest = true.anchors
    return msgspec.structs.replace(true, anchors=(msgspec.structs.replace(first, root="00" * 32), *rest))


def with_another_document(true: bundle.Evidence) -> bundle.Evidence:
    return msgspec.structs.replace(true, methodology_document=true.methodology_document + b"\n")


def with_another_transaction(true: bundle.Evidence) -> bundle.Evidence:
    hashes = {name: {"hash": "0x" + "00" * 32} for name in true.transactions}
    return msgspec.structs.replace(true, transactions=hashes)


@pytest.mark.parametrize(
    ("spoil", "link"),
    [
        (with_another_report, "report hash"),
        (with_another_reading, "gateway signatures"),
        (without_a_message, "leaves and roots"),
        (with_another_salt, "leaves and roots"),
        (with_another_root, "anchors"),
        (with_another_document, "methodology document"),
        (with_another_transaction, "transactions"),
    ],
)
def test_evidence_that_was_written_anew_names_what_does_not_fit(copy: Path, spoil: Spoil, link: str) -> None:
    archive = copy.parent / "evidence.zip"
    archive.write_bytes(bundle.write(spoil(bundle.read(archive.read_bytes()))))
    done = verify(offline(), copy, cwd=copy.parent)
    assert done.returncode == 1
    assert "evidence manifest" in done.stdout.split("INVALID: broken: ")[1]
    assert link in done.stdout.split("INVALID: broken: ")[1]


@pytest.mark.parametrize("share", [0, 25, 50, 75, 100])
def test_a_flipped_byte_of_the_evidence_is_found_wherever_it_is(copy: Path, share: int) -> None:
    archive = copy.parent / "evidence.zip"
    data = archive.read_bytes()
    archive.write_bytes(flipped(data, (len(data) - 1) * share // 100))
    done = verify(offline(), copy, cwd=copy.parent)
    assert done.returncode == 1
    assert "INVALID: broken: evidence archive" in done.stdout


def forged(true: Path, key: Ed25519PrivateKey) -> bytes:
    """The same certificate over 100,000 g more, sound in itself, signed by a stranger."""
    certificate = credential.parse_certificate(true.read_bytes())
    block, _, _ = certificate.subject.serials.rpartition("-")
    subject = msgspec.structs.replace(certificate.subject, grams="223456", serials=f"{block}-223456")
    return credential.issue_certificate(
        url=certificate.url,
        subject=subject,
        issued=certificate.valid_from,
        public_key=key.public_key().public_bytes_raw(),
        sign=key.sign,
    )


def test_a_certificate_that_a_stranger_signed_anew_is_not_believed(copy: Path) -> None:
    copy.write_bytes(forged(copy, Ed25519PrivateKey.generate()))
    done = verify(offline(), copy, cwd=copy.parent)
    assert done.returncode == 1
    assert "INVALID: broken: trusted key\n" in done.stdout


def test_whoever_believes_the_stranger_is_contradicted_by_the_chain(market: Market, copy: Path) -> None:
    key = Ed25519PrivateKey.generate()
    copy.write_bytes(forged(copy, key))
    trusted = multikey.encode(key.public_key().public_bytes_raw())
    node = market.machine.settings.node_url
    done = verify([str(PROGRAM)], copy, "--trust", trusted, "--node", node, cwd=copy.parent)
    assert done.returncode == 1
    assert "INVALID: broken: retirement on chain" in done.stdout


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"not a certificate", b"[]"])
def test_a_file_that_is_no_certificate_is_unreadable(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "certificate.json"
    file.write_bytes(content)
    done = verify(offline(), file, cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert str(file) in done.stderr


def test_a_node_that_is_not_there_leaves_it_undecided(market: Market, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    node = f"http://127.0.0.1:{port}/v1"
    done = verify([str(PROGRAM)], market.certificate, "--node", node, cwd=tmp_path)
    assert done.returncode == 2
    assert f"the node at {node} does not answer" in done.stderr
