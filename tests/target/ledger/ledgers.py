"""Made-up content for ledgers."""

from __future__ import annotations

from typing import Any

from target_ciscovm.ledger.ledger import Entry, LedgerAsset, LedgerIdentity, Settlement

IDENTITY = LedgerIdentity("5e5-made-up", {"data_model": "vulnerabilities", "url_query": "cut"})
URL = "url:https://app.example.test"


def asset(key: str, *webapp_ids: int) -> LedgerAsset:
    return LedgerAsset(key, {"url": key.partition(":")[2]}, "Shop 'A'", webapp_ids or (7,))


def entry(number: int, key: str = URL, name: str = "QID 150001 XSS") -> Entry:
    return Entry(f"finding-{number}", key, name, 7)


def settlement(**changes: Any) -> Settlement:  # noqa: ANN401 - fields of all types
    return Settlement(**{"identity": IDENTITY, "run_id": "run-1", **changes})


FIRST = settlement(
    opened=[entry(1), entry(2), entry(3, "external_id:8")],
    assets=[asset(URL), asset("external_id:8", 8, 9)],
    full_open=3,
)
