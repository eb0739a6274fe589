"""What entries of the knowledge base tell beside their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.world.size import WorldSize
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from tests.sandbox.world.model import Entry
    from tests.tap.syncs import Outcome

SIZE: Final = WorldSize(apps=4, findings=150, qids=40, scans=4)


def entries(platform: Platform, outcome: Outcome) -> list[tuple[dict[str, object], Entry]]:
    known = {one.qid: one.entry for one in platform.world.qids}
    pairs = ((row, known[row["qid"]]) for row in outcome.records("knowledge_base"))
    return [(row, entry) for row, entry in pairs if entry is not None]


@pytest.mark.parametrize("version", ["2.0", "4.0"])
def test_entries_tell_what_they_refer_to(version: str) -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here({"knowledge_base_version": version})
        found = entries(platform, outcome)

    assert "left out fields" not in outcome.log
    assert any(entry.cves for _, entry in found)
    for row, entry in found:
        references = [{"id": name, "url": url} for name, url in entry.references]
        assert row["vendorReferences"] == references
        threats = [{"id": number, "name": name} for number, name in entry.threats]
        assert row["threatIntelligence"] == threats
        exploits, malware = row["exploits"], row["malware"]
        assert isinstance(exploits, list)
        assert isinstance(malware, list)
        later = version != "2.0"
        assert [one["reference"] for one in exploits] == (list(entry.cves) if later else [])
        assert len(malware) == (later and bool(entry.cves))
        assert row["patchable"] is entry.patchable
        assert (row["patchPublishedDate"] is not None) is (later and entry.patchable)
        has_v4 = version == "4.0" and entry.cvss_v3 is not None
        assert (row["cvssV4"] is not None) is has_v4
