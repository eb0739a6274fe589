"""An asset says what is known of the web applications that share it, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from target_ciscovm.mapping.asset import AssetRules, Holder, Sources, describe, last_seen, located
from target_ciscovm.mapping.locators import Identity, Place, sent_locators
from target_ciscovm.mapping.records import Tag
from target_ciscovm.mapping.scans_seen import LastScan
from target_ciscovm.mapping.tags import TagRules
from tests.sandbox.ciscovm.kdi.check import check
from tests.target.mapping.documents import document
from tests.target.rows import as_webapp

if TYPE_CHECKING:
    from target_ciscovm.kdi.types import Asset
    from target_ciscovm.mapping.records import WebApp

URL = "https://app1.example.test/p"
KEY = f"url:{URL}"
SEEN, TESTED = "2024-05-02T08:00:00Z", "2024-05-01T08:00:00Z"
NOTHING = Sources({}, {})


def one_app(tags: tuple[str, ...] = (), tested: str | None = TESTED) -> Holder:
    return Holder(
        frozenset({9001}),
        Place(URL, 9001, "Demo App 1"),
        {9001: "Demo App 1"},
        tuple(Tag(name=name) for name in tags),
        tested,
    )


def sources(*apps: WebApp, scans: dict[int, LastScan] | None = None) -> Sources:
    return Sources({app.id: app for app in apps if app.id is not None}, scans or {})


def described(
    holder: Holder, known: Sources = NOTHING, rules: AssetRules | None = None, key: str = KEY
) -> dict[str, Any]:
    """Describe an asset and give it as it stands in the file, checked."""
    used = rules or AssetRules()
    locators = sent_locators(key, holder.place, used.identity)
    asset: Asset = describe(locators, holder, known, used)
    asset.vulns = []
    assert check(document(asset, [])) == []
    found: dict[str, Any] = msgspec.to_builtins(asset)
    found.pop("vulns", None)
    return found


def tagged(*names: str) -> list[dict[str, object]]:
    return [{"id": number, "name": name} for number, name in enumerate(names, 1)]


def test_an_asset_of_which_only_findings_tell() -> None:
    assert described(one_app(tags=("Blue",))) == {
        "url": URL,
        "external_id": "9001",
        "application": "Demo App 1",
        "last_seen_at": TESTED,
        "tags": ["Blue", "Demo App 1"],
    }


def test_the_row_of_the_web_application_is_believed_before_findings() -> None:
    known = sources(as_webapp(name="Renamed", tags=tagged("Green"), os=" Linux\n5 "))

    found = described(one_app(tags=("Blue",)), known)

    assert (found["tags"], found["os"]) == (["Green", "Renamed"], "Linux 5")


@pytest.mark.parametrize("system", [None, "", "  ", "\x00"])
def test_the_system_is_that_of_the_row_else_of_the_latest_scan(system: str | None) -> None:
    scans = {9001: LastScan(SEEN, "Linux 5.x")}

    assert described(one_app(), sources(as_webapp(os=system), scans=scans))["os"] == "Linux 5.x"
    assert "os" not in described(one_app(), sources(as_webapp(os=system)))


def test_last_seen_is_the_latest_scan_else_the_latest_test_and_never_now() -> None:
    scans = {9001: LastScan(TESTED), 9002: LastScan(SEEN)}
    both = Holder(frozenset({9001, 9002}), Place(URL), last_looked_at="2030-01-01T00:00:00Z")

    assert last_seen(both, sources(scans=scans)) == SEEN
    assert last_seen(one_app(), NOTHING) == TESTED
    assert "last_seen_at" not in described(one_app(tested=None))


def test_last_seen_can_be_left_to_cvm() -> None:
    rules = AssetRules(ignore_scanner_last_seen=True)
    known = sources(as_webapp(), scans={9001: LastScan(SEEN)})

    assert "last_seen_at" not in described(one_app(), known, rules)


def test_an_asset_shared_by_two_web_applications_has_the_tags_of_both() -> None:
    known = sources(
        as_webapp(9002, tags=tagged("Red", "Both")), as_webapp(9001, tags=tagged("Blue", "Both"))
    )
    both = Holder(frozenset({9001, 9002}), Place(URL, 9001, "Demo App 1"), tags=(Tag(name="Own"),))

    assert described(both, known)["tags"] == ["Blue", "Both", "Red", "Demo App 1", "Demo App 2"]


def test_tags_of_the_findings_stand_in_for_a_row_that_did_not_come() -> None:
    both = Holder(
        frozenset({9001, 9002}),
        Place(URL),
        {9001: "One", 9002: "Two"},
        tags=(Tag(name="Of findings"),),
    )

    found = described(both, sources(as_webapp(9001, name="One", tags=tagged("Of row"))))

    assert found["tags"] == ["Of row", "Of findings", "One", "Two"]


@pytest.mark.parametrize("reset", [True, False])
def test_skipped_tags_are_left_out_and_no_tags_are_sent_empty_only_to_wipe(reset: bool) -> None:
    bare = TagRules(application=False)
    none_at_all = described(one_app(), rules=AssetRules(tags=bare, reset_tags=reset))
    skipped = described(one_app(("Blue",)), rules=AssetRules(tags=TagRules(skip=True)))

    assert none_at_all.get("tags") == ([] if reset else None)
    assert "tags" not in skipped


def test_an_asset_that_is_a_web_application_has_no_url_of_a_finding() -> None:
    rules = AssetRules(identity=Identity(("external_id",)))

    found = described(one_app(), rules=rules, key="external_id:9001")

    assert "url" not in found
    assert (found["external_id"], found["application"]) == ("9001", "Demo App 1")


def test_an_application_with_quotes_and_control_characters_is_searchable() -> None:
    holder = Holder(frozenset({9001}), Place(URL, 9001, 'The "Shop"\x07\n'), {9001: 'The "Shop"'})

    found = described(holder)

    assert found["application"] == "The 'Shop'"
    assert found["tags"] == ['The "Shop"']


def test_a_finding_without_a_web_application_has_the_host_as_its_application() -> None:
    found = described(Holder(frozenset(), Place(URL)))

    assert found == {"url": URL, "application": "app1.example.test"}


def test_an_asset_of_the_ledger_is_told_by_its_locators_alone() -> None:
    asset = located({"url": URL, "external_id": "9001"})

    assert msgspec.to_builtins(asset) == {"url": URL, "external_id": "9001"}
