"""What the demo leaves: certificate, PDF, evidence, a summary, and whether every law holds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from carbonmarket import laws, trust
from carbonmarket.certificate import multikey
from carbonmarket.cli.trust import default_store
from carbonmarket.errors import NotYetFinal
from carbonmarket.quantities import format_wh
from infra.local.demo.client import User
from infra.local.demo.told import MarketTold, Told
from infra.local.machine import Machine

_QUIET_S = 60


def conclude(machine: Machine, told: Told, out: Path, console: Console) -> dict[str, Any]:
    """Write everything into ``out`` and print it; returns the summary."""
    _download(told.cast.public, told.retirement["id"], out)
    _trust_this_machine()
    verified = {"offline": _verify(out), "on_chain": _verify(out, "--node", machine.settings.node_url)}
    judged = judge(machine, told.retired_before, told.personal)
    market = summarise_market(told.market, _verify_market(machine, told, out))
    summary = summarise(told, judged) | {"certificate_verified": verified, "market": market}
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    _print(summary, judged, out, console)
    verified_all = all(verified.values()) and market["certificates_verified"]
    if not verified_all or not all(law.holds for law in judged):
        raise RuntimeError("a law is broken or the certificate is not valid; see above")
    return summary


def judge(
    machine: Machine, retired_before: Mapping[str, int], personal: tuple[str, ...]
) -> tuple[laws.LawResult, ...]:
    """Every law, computed from the stores and the chain as they are now."""
    from carbonmarket_adapters.snapshots import gather
    from carbonmarket_adapters.wiring import chain, money, settings

    logs = [path.read_text(errors="replace") for path in (machine.settings.state / "logs").glob("*.log")]
    deadline = time.monotonic() + _QUIET_S
    while True:
        try:
            snapshot = gather(
                chain=chain.chain_access(),
                source=chain.chain_source(),
                projection=chain.projection(),
                signing=chain.signing_table(),
                market=settings().market_address,
                retired_before=retired_before,
                books=money.ledger().books(),
                logs=logs,
                personal=personal,
            )
            return laws.judge(snapshot)
        except NotYetFinal:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def summarise(told: Told, judged: tuple[laws.LawResult, ...]) -> dict[str, Any]:
    """The numbers of the story, asked of the API."""
    counts = told.counts()
    neighbours = told.neighbour_counts()
    rejected = Counter(counts["rejected"]) + Counter(neighbours["rejected"])
    july = told.cast.buyer.user.get(f"/v1/batches/{told.retirement['batch']}")
    batches = told.batches
    return {
        "readings_sent": told.sent,
        "readings_accepted": counts["accepted"],
        "readings_redelivered": counts["redelivered"] + neighbours["redelivered"],
        "readings_rejected": dict(sorted(rejected.items())),
        "readings_anchored": counts["anchored"],
        "energy_wh": {
            month: format_wh(int(report["positive_uj"]) - int(report["negative_uj"]))
            for month, report in told.reports.items()
        },
        "grams_quantified": {month: int(period["grams"]) for month, period in told.periods.items()},
        "grams_minted": {month: int(batch["grams"]) for month, batch in batches.items()},
        "grams_buffered": sum(int(batch["buffered_at_issue"]) for batch in batches.values()),
        "grams_transferred": int(told.transfer["grams"]),
        "grams_retired": int(july["now"]["retired"]),
        "laws": {law.name: law.holds for law in judged},
    }


def summarise_market(market: MarketTold, verified: bool) -> dict[str, Any]:
    """The market chapter's figures, in grams and quote units of USDC."""
    seeded, bought = market.seeded, market.orders
    if seeded is None:
        raise LookupError("the market was not seeded")
    total = seeded.tape.total()
    return {
        "batches_imported": seeded.fresh,
        "books": len(seeded.imported),
        "agents_orders": total.orders,
        "agents_fills": total.fills,
        "agents_grams": total.grams,
        "agents_quote": total.quote,
        "agents_fees": total.fees,
        "grams_by_order": [int(order["filled"]) for order in bought],
        "grams_by_criteria": int(market.criteria["filled"]),
        "books_by_criteria": sum(order["filled"] != "0" for order in market.criteria["orders"]),
        "grams_by_card": int(market.purchase["grams"]),
        "cents_by_card": int(market.purchase["amount_cents"]),
        "grams_retired": [int(retirement["grams"]) for retirement in market.retirements],
        "certificates_verified": verified,
        "developers_reputation": market.reputation,
    }


def _verify_market(machine: Machine, told: Told, out: Path) -> bool:
    """Whether the certificates of the market's chapter are valid, offline and on chain. Imported credits have
    no evidence: nothing of them was measured here."""
    valid = []
    for name, retirement in zip(("measured", "imported"), told.market.retirements, strict=True):
        folder = out / "market" / name
        folder.mkdir(parents=True)
        _download(told.cast.public, retirement["id"], folder, with_evidence=name == "measured")
        valid += [_verify(folder), _verify(folder, "--node", machine.settings.node_url)]
    return all(valid)


def _download(public: User, retirement: str, out: Path, *, with_evidence: bool = True) -> None:
    base = f"/v1/certificates/{retirement}"
    for path, name in (
        (base, "certificate.json"),
        (f"{base}/pdf", "certificate.pdf"),
        *([(f"{base}/evidence", "evidence.zip")] if with_evidence else []),
    ):
        (out / name).write_bytes(public.ask("GET", path).content)


def _trust_this_machine() -> None:
    """Believe this machine's platform key from now on, as its owner may."""
    from carbonmarket_adapters.wiring import chain, settings

    key = multikey.encode(chain.signer().public_key(settings().platform_key).key)
    store = default_store()
    trust.save(store, trust.add(trust.load(store), key, "the demo on this machine"))


def _verify(out: Path, *options: str) -> bool:
    command = [
        str(Path(sys.executable).parent / "carbonmarket"),
        "verify",
        str(out / "certificate.json"),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    (out / ("verified-on-chain.txt" if options else "verified.txt")).write_text(done.stdout + done.stderr)
    return done.returncode == 0


def _print(summary: dict[str, Any], judged: tuple[laws.LawResult, ...], out: Path, console: Console) -> None:
    table = Table(title="What happened", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in summary.items():
        if name in {"laws", "certificate_verified"}:
            continue
        label = name.replace("_", " ")
        if isinstance(value, dict):
            for key, part in value.items():
                table.add_row(f"{label}, {key}", _number(part))
        else:
            table.add_row(label, _number(value))
    console.print(table)
    for law in judged:
        sign = "[green]holds [/green]" if law.holds else "[red]BROKEN[/red]"
        console.print(f"  {sign} {law.name.replace('_', ' ')} [dim]{law.detail}[/dim]")
    console.print(f"\nCertificate   {out / 'certificate.json'} and {out / 'certificate.pdf'}", soft_wrap=True)
    console.print(f"Evidence      {out / 'evidence.zip'}", soft_wrap=True)
    shown = out / "certificate.json"
    console.print(f"Verify it     .venv/bin/carbonmarket verify {_relative(shown)}\n", soft_wrap=True)


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " + ".join(map(_number, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
