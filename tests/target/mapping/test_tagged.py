"""The tags that assets get in CVM, and those that they keep."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, finding, scan, webapp, webapp_of

if TYPE_CHECKING:
    from tests.target.loads import CVM
    from tests.target.streams import Row

URL: Final = "https://app1.example.test/page1"


def tagged(*tags: str | None, **changes: Any) -> Sync:  # noqa: ANN401 - fields of all types
    rows = [{"id": number, "name": name} for number, name in enumerate(tags)]
    return Sync([webapp(1, tags=rows, **changes)], [finding(1)])


@pytest.mark.parametrize(
    ("tags", "settings", "expected"),
    [
        (["A", "B"], {}, ["A", "B", "App 1"]),
        (["A", "B"], {"tag_application": False}, ["A", "B"]),
        (["A"], {"tag_prefix": "qualys: "}, ["qualys: A", "qualys: App 1"]),
        (["Paris, France"], {}, ["Paris, France", "App 1"]),
        (["A", "A", " A "], {}, ["A", "App 1"]),
        (["App 1"], {}, ["App 1"]),
        (["", None, "  "], {}, ["App 1"]),
        ([], {}, ["App 1"]),
        ([f"T{n}" for n in range(500)], {}, [*(f"T{n}" for n in range(500)), "App 1"]),
        (["Ünïcode 中文"], {}, ["Ünïcode 中文", "App 1"]),
        ([], {"tag_application": False}, None),
        (["A"], {"skip_tags": True}, None),
    ],
)
def test_tags_are_those_of_the_web_application_and_its_name(
    tags: list[str], settings: dict[str, Any], expected: list[str] | None, cvm: CVM
) -> None:
    loaded = cvm.load(tagged(*tags), **settings)

    assert loaded.asset(URL).get("tags") == expected
    assert cvm.tags(URL) == set(expected or ())


def test_no_tag_is_longer_than_cvm_takes(cvm: CVM) -> None:
    cvm.load(tagged("x" * 400), tag_application=False)

    assert [len(tag) for tag in cvm.tags(URL)] == [255]


def test_a_web_application_whose_row_is_missing_has_the_tags_that_its_findings_name(
    cvm: CVM,
) -> None:
    named = webapp_of(1) | {"tags": [{"id": 1, "name": "From the finding"}]}

    cvm.load(Sync(findings=[finding(1, webApp=named)], proof=None))

    assert cvm.tags(URL) == {"From the finding", "App 1"}


def test_a_name_with_a_double_quote_keeps_it_in_the_tag_but_not_as_application(cvm: CVM) -> None:
    named = webapp_of(1) | {"name": 'The "shop"'}

    loaded = cvm.load(Sync([webapp(1, name='The "shop"')], [finding(1, webApp=named)]))

    asset = loaded.asset(URL)
    assert asset["application"] == "The 'shop'"
    assert 'The "shop"' in asset["tags"]


class TestTree:
    TREE: Final[tuple[Row, ...]] = (
        {"id": 0, "name": "Shop", "parentTagId": 7},
        {"id": 7, "name": "EMEA", "parentTagId": 8, "ruleType": "STATIC"},
        {"id": 8, "name": "Company", "parentTagId": None},
    )
    ROWS: Final = replace(tagged("Shop"), tags=TREE)

    def test_tags_above_are_sent_too(self, cvm: CVM) -> None:
        loaded = cvm.load(self.ROWS, tag_ancestors=True, tag_prefix="q:", tag_application=False)

        assert loaded.outcome == "succeeded"
        assert loaded.asset(URL)["tags"] == ["q:Shop", "q:EMEA", "q:Company"]

    def test_a_tag_is_sent_as_its_path(self, cvm: CVM) -> None:
        loaded = cvm.load(self.ROWS, tag_paths=True, tag_application=False)

        assert loaded.asset(URL)["tags"] == ["Company/EMEA/Shop"]

    def test_without_the_stream_tags_are_names_alone_and_none_is_reset(self, cvm: CVM) -> None:
        cvm.load(self.ROWS, tag_ancestors=True)

        loaded = cvm.load(tagged("Shop"), tag_ancestors=True, reset_tags=True)

        assert cvm.tags(URL) == {"Shop", "EMEA", "Company", "App 1"}
        assert [text for text in loaded.report["warnings"] if "stream tags" in text]

    def test_rows_that_are_no_tags_are_rejected_and_lose_nothing(self, cvm: CVM) -> None:
        rows: list[Row] = [*self.TREE, {"name": "No id"}]

        loaded = cvm.load(
            replace(self.ROWS, tags=rows), tag_ancestors=True, max_failed_percent="50"
        )

        assert loaded.outcome == "succeeded"
        assert [row["stream"] for row in loaded.rejected] == ["tags"]
        assert loaded.report["proof"]["proven"] is True


class TestAttributes:
    ROWS: Final = tagged(
        "A",
        attributes=[{"name": "Owner", "value": "payments"}, {"name": "Tier", "value": "1"}],
    )

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (["Owner", "Tier"], ["A", "Owner: payments", "Tier: 1", "App 1"]),
            ("Tier,Owner", ["A", "Tier: 1", "Owner: payments", "App 1"]),
            ({"Owner": "", "Tier": "tier-"}, ["A", "payments", "tier-1", "App 1"]),
            ('{"Tier": "T"}', ["A", "T1", "App 1"]),
            (["Function"], ["A", "App 1"]),
        ],
    )
    def test_attributes_become_tags(self, wanted: Any, expected: list[str], cvm: CVM) -> None:  # noqa: ANN401
        assert cvm.load(self.ROWS, attribute_tags=wanted).asset(URL)["tags"] == expected

    def test_where_no_attributes_came_the_way_out_is_said_and_nothing_reset(self, cvm: CVM) -> None:
        cvm.load(self.ROWS, attribute_tags=["Owner"])

        loaded = cvm.load(tagged("A"), attribute_tags=["Owner"], reset_tags=True)

        assert "Owner: payments" in cvm.tags(URL)
        assert [text for text in loaded.report["warnings"] if "webapp_details" in text]

    def test_a_prefix_that_is_no_text_is_refused(self, cvm: CVM) -> None:
        loaded = cvm.load(self.ROWS, attribute_tags={"Owner": 1})

        assert loaded.exit_code == 2
        assert "attribute_tags must have a text for 'Owner'" in loaded.message


class TestDropped:
    def dropped(self, cvm: CVM, sync: Sync, **settings: object) -> list[Any]:
        found: list[Any] = cvm.load(sync, **settings).report["tags_dropped"]
        return found

    def test_tags_that_qualys_drops_stay_and_are_listed_by_asset(self, cvm: CVM) -> None:
        assert self.dropped(cvm, tagged("Old", "Kept", "Blue")) == []
        for _ in range(2):
            assert self.dropped(cvm, tagged("New", "Kept")) == [
                {"asset": f"url:{URL}", "tags": ["Old", "Blue"]}
            ]
        assert cvm.tags(URL) == {"Old", "Kept", "Blue", "New", "App 1"}
        assert self.dropped(cvm, tagged("Blue", "New", "Kept", "Old")) == []

    def test_the_last_tag_is_listed_too(self, cvm: CVM) -> None:
        self.dropped(cvm, tagged("A"), tag_application=False)

        assert self.dropped(cvm, tagged(), tag_application=False)[0]["tags"] == ["A"]

    def test_after_a_reset_nothing_is_left_to_list(self, cvm: CVM) -> None:
        self.dropped(cvm, tagged("Old"))

        assert self.dropped(cvm, tagged("New"), reset_tags=True) == []
        assert self.dropped(cvm, tagged("New")) == []

    @pytest.mark.parametrize(
        ("sync", "settings"),
        [
            (replace(tagged("New"), mode="incremental"), {}),
            (tagged("New"), {"skip_tags": True}),
            (Sync([webapp(1, tags=None)], [finding(1)]), {}),
            (replace(tagged("New"), not_proven=[1]), {}),
        ],
        ids=["incremental", "no tags sent", "no list of tags", "web app not proven"],
    )
    def test_nothing_is_called_dropped_that_was_not_read(
        self, sync: Sync, settings: dict[str, Any], cvm: CVM
    ) -> None:
        self.dropped(cvm, tagged("Old"))

        assert self.dropped(cvm, sync, **settings) == []

    def test_tags_of_another_web_application_on_the_page_are_not_called_dropped(
        self, cvm: CVM
    ) -> None:
        shared = finding(2, 2, url=f"{URL}?b=2")
        other = webapp(2, tags=[{"id": 9, "name": "Of the other"}])
        self.dropped(cvm, Sync([webapp(1), other], [finding(1), shared]))
        part = Sync([webapp(1)], [finding(1)], coverage={"wholeAccount": False})

        assert self.dropped(cvm, part) == []


class TestReset:
    SYNC: Final = tagged("A")

    def manual(self, cvm: CVM) -> None:
        cvm.load(tagged("Old"))
        for asset in cvm.tenant.state.assets:
            cvm.tenant.people.tag(asset, "By hand")

    def test_tags_stay_unless_they_are_reset(self, cvm: CVM) -> None:
        self.manual(cvm)

        cvm.load(self.SYNC)

        assert cvm.tags(URL) == {"Old", "By hand", "A", "App 1"}

    def test_a_reset_wipes_all_of_them_and_warns_each_time(
        self, cvm: CVM, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.manual(cvm)
        for _ in range(2):
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                loaded = cvm.load(self.SYNC, reset_tags=True)

            assert cvm.tags(URL) == {"A", "App 1"}
            assert any("reset_tags" in warning for warning in loaded.report["warnings"])
            assert "reset_tags wipes all tags" in caplog.text

    def test_a_reset_without_any_tag_left_wipes_as_well(self, cvm: CVM) -> None:
        self.manual(cvm)

        loaded = cvm.load(tagged(), reset_tags=True, tag_application=False)

        assert loaded.asset(URL)["tags"] == []
        assert cvm.tags(URL) == set()

    def test_only_assets_whose_web_application_came_are_reset(self, cvm: CVM) -> None:
        cvm.begin(Sync([webapp(1), webapp(2)], [finding(1), finding(2, 2)]))
        for asset in cvm.tenant.state.assets:
            cvm.tenant.people.tag(asset, "By hand")

        loaded = cvm.load(
            Sync([webapp(1)], [finding(1), finding(2, 2)], scans=[scan(1)], mode="incremental"),
            reset_tags=True,
        )

        assert "By hand" not in cvm.tags(URL)
        assert "By hand" in cvm.tags("https://app2.example.test/page2")
        assert sorted(document["reset_tags"] for document in loaded.documents.values()) == [
            False,
            True,
        ]

    @pytest.mark.parametrize(
        ("apps", "rows"),
        [
            ([webapp(1, tags=None)], [finding(1)]),
            ([webapp(1)], [finding(1), finding(2, url=URL, webApp=None)]),
            ([webapp(1), webapp(2, tags=None)], [finding(1), finding(2, 2, url=URL)]),
        ],
        ids=["no list of tags", "a finding of no web application", "no list of another one's tags"],
    )
    def test_an_asset_of_which_not_all_tags_are_known_keeps_them(
        self, apps: list[dict[str, Any]], rows: list[dict[str, Any]], cvm: CVM
    ) -> None:
        self.manual(cvm)

        loaded = cvm.load(Sync(apps, rows), reset_tags=True)

        assert {"Old", "By hand"} <= cvm.tags(URL)
        assert not any(document["reset_tags"] for document in loaded.documents.values())

    def test_what_is_gone_keeps_its_tags(self, cvm: CVM) -> None:
        cvm.begin(Sync([webapp(1)], [finding(1), finding(2)]))
        for asset in cvm.tenant.state.assets:
            cvm.tenant.people.tag(asset, "By hand")

        cvm.load(Sync([webapp(1)], [finding(1)]), reset_tags=True)

        assert "By hand" in cvm.tags("https://app1.example.test/page2")

    def test_nothing_is_reset_otherwise(self, cvm: CVM) -> None:
        loaded = cvm.load(self.SYNC)

        assert [document["reset_tags"] for document in loaded.documents.values()] == [False]


def test_all_of_the_assets_of_two_parts_get_their_tags(cvm: CVM) -> None:
    sync = Sync([webapp(1)], [finding(number) for number in range(20)])

    loaded = cvm.load(replace(sync), part_max_bytes=1000)

    assert len(loaded.documents) > 1
    assert {tuple(asset["tags"]) for asset in loaded.assets} == {("Production", "App 1")}
