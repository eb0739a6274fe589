"""Assets are told apart as the settings say, and CVM agrees, in whatever order it looks."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.mapping.locators import CVM_ORDER
from tests.target.loads import QUICK
from tests.target.streams import Sync, bare, finding, fixed, identifier, names, webapp, webapp_of

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

APPS: Final = [webapp(1), webapp(2), webapp(3)]
FINDINGS: Final = [finding(1), finding(2), finding(3, 2), finding(4, 2)]
AFTER: Final = [finding(1), finding(3, 2), finding(4, 2)]

KEYS: Final = ("url", "external_id", "application")


def tenant_order(*first: str) -> tuple[str, ...]:
    """Make a whole order that begins with these."""
    return first + tuple(name for name in CVM_ORDER if name not in first)


TENANTS: Final = {
    "CVM's own": CVM_ORDER,
    "external_id first": tenant_order("external_id"),
    "application first": tenant_order("application"),
    "application, external_id, url": tenant_order("application", "external_id", "url"),
    "fqdn first": tenant_order("fqdn", "ip_address"),
}


def load(cvm: CVM, sync: Sync, tenant: str, order: list[str]) -> Loaded:
    switches = replace(QUICK, locator_order=TENANTS[tenant])
    if cvm.switches != switches:
        cvm.play(switches)
    given = None if tenant == "CVM's own" else list(TENANTS[tenant])
    return cvm.load(sync, locator_order=order, tenant_locator_order=given)


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("first", KEYS)
def test_cvm_sees_the_assets_that_the_settings_mean_and_closing_finds_them_again(
    first: str, tenant: str, cvm: CVM
) -> None:
    order = sorted(KEYS, key=lambda name: name != first)

    loaded = load(cvm, Sync(APPS[:2], FINDINGS), tenant, order)

    assets = {one.asset_id for one in cvm.held()}
    assert len(assets) == len(loaded.assets) == (4 if first == "url" else 2)
    assert cvm.open() == names(1, 2, 3, 4)

    load(cvm, Sync(APPS[:2], AFTER), tenant, order)

    assert cvm.open() == names(1, 3, 4)
    assert cvm.closed() == names(2)


def test_what_is_closed_at_an_old_place_does_not_draw_the_new_one_there(cvm: CVM) -> None:
    load(cvm, Sync(APPS[:1], [finding(1), finding(2)]), "external_id first", ["url"])
    cvm.tenant.people.rank_locators()
    after, by_id = Sync(APPS[:1], [finding(1), fixed(2)]), {"locator_order": ["external_id"]}

    cvm.load(after, accept_identity_change=cvm.code(after, **by_id), **by_id)

    (held,) = (one for one in cvm.held() if one.is_open)
    assert "url" not in held.locators


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_locator_that_cvm_would_rank_above_the_key_is_not_sent(tenant: str, cvm: CVM) -> None:
    loaded = load(cvm, Sync(APPS[:1], [finding(1)]), tenant, ["url", "external_id"])

    (asset,) = loaded.assets
    order = TENANTS[tenant]
    sent = [name for name in order if name in asset]
    assert sent[0] == "url"
    expected = [name for name in ("external_id", "application") if _below(name, order)]
    assert sorted(sent[1:]) == sorted(expected)


def _below(name: str, order: tuple[str, ...]) -> bool:
    return order.index(name) > order.index("url")


def test_the_url_of_a_finding_goes_to_its_details_when_assets_are_web_applications(
    cvm: CVM,
) -> None:
    loaded = cvm.load(Sync(APPS[:1], [finding(1)]), locator_order=["external_id"])

    (asset,) = loaded.assets
    assert "url" not in asset
    assert "https://app1.example.test/page1?id=1" in loaded.items()["finding-1"]["details"]


@pytest.mark.parametrize(
    ("host", "name", "value"),
    [("Shop.Example.Test", "fqdn", "shop.example.test"), ("192.0.2.7", "ip_address", "192.0.2.7")],
)
def test_the_host_can_be_the_asset(host: str, name: str, value: str, cvm: CVM) -> None:
    rows = [
        finding(n, url=f"https://{host}:8443/page{n}", webApp=webapp_of(1) | {"url": None})
        for n in (1, 2)
    ]

    loaded = cvm.load(
        Sync([webapp(1, url=None)], rows), locator_order=["fqdn", "ip_address", "url"]
    )

    (asset,) = loaded.assets
    assert asset[name] == value
    assert cvm.open() == names(1, 2)


def test_the_next_locator_is_taken_where_the_first_has_no_value(cvm: CVM) -> None:
    rows = [
        finding(1),
        finding(2, url=None, webApp=webapp_of(2) | {"url": None}),
        finding(3, url=None, webApp={"id": None, "name": "Nameless", "url": None}),
    ]

    loaded = cvm.load(Sync([webapp(1), webapp(2, url=None)], rows))

    assert loaded.asset("https://app1.example.test/page1")["vulns"]
    assert loaded.asset("2")["vulns"]
    assert loaded.asset("Nameless")["vulns"]
    assert cvm.open() == names(1, 2, 3)


def test_the_row_of_a_web_application_tells_what_its_findings_do_not(cvm: CVM) -> None:
    row = finding(1, url=None, webApp={"id": 1, "name": None, "url": None})

    loaded = cvm.load(Sync([webapp(1)], [row]))

    (asset,) = loaded.assets
    assert asset["url"] == "https://app1.example.test/"


def test_a_finding_that_lies_nowhere_is_rejected_and_stays_open_alone(cvm: CVM) -> None:
    cvm.load(Sync(APPS[:1], [finding(n) for n in range(200)] + [finding(999, webApp=None)]))

    nowhere = finding(999, url=None, webApp=None)
    loaded = cvm.load(Sync(APPS[:1], [*(finding(n) for n in range(150)), nowhere]))

    (row,) = loaded.rejected
    assert row["key"] == identifier(999, 0)
    assert loaded.report["proof"]["proven"]
    assert cvm.open() == names(*range(150), 999)


@pytest.mark.parametrize(
    ("urls", "assets"),
    [
        (["HTTPS://App.Example.Test/a", "https://app.example.test/a"], 1),
        (["https://app.example.test/a?x=1", "https://app.example.test/a?x=2#top"], 1),
        (
            [
                "https://app.example.test",
                "https://app.example.test:443/",
                "https://app.example.test./",
            ],
            1,
        ),
        (["https://app.example.test/a", "https://app.example.test/A"], 2),
        (["https://app.example.test/a", "https://app.example.test:8443/a"], 2),
    ],
)
def test_one_place_in_two_spellings_is_one_asset(urls: list[str], assets: int, cvm: CVM) -> None:
    rows = [finding(number, url=url) for number, url in enumerate(urls)]

    loaded = cvm.load(Sync(APPS[:1], rows))

    assert len(loaded.assets) == assets
    assert len({one.asset_id for one in cvm.held()}) == assets


def test_the_query_tells_pages_apart_when_it_is_kept(cvm: CVM) -> None:
    rows = [finding(n, url=f"https://app1.example.test/?page={n}") for n in (1, 2)]

    loaded = cvm.load(Sync(APPS[:1], rows), url_query="keep")

    assert len(loaded.assets) == 2


class TestWhole:
    """An asset is whole, once, in one file, whatever the order and size of the input."""

    PAGES: Final = 7
    NUMBER: Final = 200

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("size", [1000, 3000, 20_000, 50_000_000])
    def test_it_is_whole_in_one_file(self, size: int, seed: int, cvm: CVM) -> None:
        rows = [
            finding(n, 1 + n % 3, url=f"https://app.example.test/page{n % self.PAGES}")
            for n in range(self.NUMBER)
        ]
        random.Random(seed).shuffle(rows)

        loaded = cvm.load(Sync(APPS, rows), part_max_bytes=size)

        urls = [asset["url"] for asset in loaded.assets]
        assert len(urls) == len(set(urls)) == self.PAGES
        by_url = {asset["url"]: asset for asset in loaded.assets}
        for page in range(self.PAGES):
            found = by_url[f"https://app.example.test/page{page}"]["vulns"]
            wanted = range(page, self.NUMBER, self.PAGES)
            assert {bare(item["scanner_identifier"]) for item in found} == names(*wanted)
        assert len(cvm.open()) == self.NUMBER

    def test_files_keep_to_their_limit_in_bytes(self, cvm: CVM) -> None:
        rows = [finding(n, name="Größe 中文") for n in range(100)]

        loaded = cvm.load(Sync(APPS[:1], rows), part_max_bytes=6000)

        assert loaded.folder is not None
        sizes = [path.stat().st_size for path in loaded.folder.glob("kdi-*.json")]
        assert len(sizes) > 5
        assert max(sizes) <= 6000
        told = {file["name"]: file["bytes"] for file in loaded.report["files"]}
        assert sorted(told.values()) == sorted(sizes)

    def test_an_asset_above_the_limit_has_a_file_of_its_own_and_a_warning(self, cvm: CVM) -> None:
        large = [finding(n, url="https://app.example.test/large") for n in range(20)]

        loaded = cvm.load(Sync(APPS[:1], [*large, finding(50), finding(51)]), part_max_bytes=3000)

        (file,) = (one for one in loaded.report["files"] if one["bytes"] > 3000)
        assert (file["assets"], file["findings"]) == (1, 20)
        (warning,) = loaded.report["warnings"]
        assert "url:https://app.example.test/large" in warning
        assert "part_max_bytes (3.0 kB)" in warning

    def test_all_files_are_one_run(self, cvm: CVM) -> None:
        loaded = cvm.load(Sync(APPS[:1], [finding(n) for n in range(50)]), part_max_bytes=2000)

        assert cvm.requests["data_file"] == len(loaded.documents) > 5
        assert cvm.requests["run"] == 1
        (run,) = (one for one in cvm.log if one.endpoint == "run")
        assert list(run.data_files) == [file["data_file"] for file in loaded.report["files"]]
