"""What an asset is, and which of its values CVM gets to tell it apart by."""

from __future__ import annotations

import itertools
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from target_ciscovm.mapping.locators import (
    CVM_ORDER,
    DEFAULT_ORDER,
    LOCATORS,
    Identity,
    Place,
    application,
    asset_key,
    hidden_key,
    locator_value,
    place_of,
    sent_locators,
    tidy_url,
)
from target_ciscovm.mapping.records import WebAppRef
from tests.sandbox.ciscovm.kdi.locators import primary

PLACE = Place("https://app1.example.test/page1?x=1", 9001, "Demo App 1")
ORDERS = [order for size in (1, 2, 3) for order in itertools.permutations(LOCATORS, size)]


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://app1.example.test/page1", "https://app1.example.test/page1"),
        ("HTTPS://App1.Example.TEST/Page1", "https://app1.example.test/Page1"),
        ("https://app1.example.test/p?q=%3Cscript%3E", "https://app1.example.test/p"),
        ("https://app1.example.test/p#top", "https://app1.example.test/p"),
        ("https://app1.example.test/p?q#top", "https://app1.example.test/p"),
        ("https://app1.example.test?q", "https://app1.example.test"),
        ("https://app1.example.test:8443/p", "https://app1.example.test:8443/p"),
        ("https://user:pass@app1.example.test/p", "https://app1.example.test/p"),
        ("https://user@x:p@ss@app1.example.test/p", "https://app1.example.test/p"),
        ("https://[2001:DB8::1]:443/p", "https://[2001:db8::1]:443/p"),
        ("https://[broken/p?x", "https://[broken/p"),
        ("  https://app1.example.test/p \n", "https://app1.example.test/p"),
        ("https://app1.example.test/a b/\u00e9", "https://app1.example.test/a b/\u00e9"),
        ("https://app1.example.test/a\r\n\x00b", "https://app1.example.test/ab"),
        ("https://app1.example.test//a/../b/", "https://app1.example.test//a/../b/"),
        ("app1.example.test/p?x=1#y", "app1.example.test/p"),
        ("/only/path?x", "/only/path"),
    ],
)
def test_a_url_has_one_spelling(given_url: str, url: str) -> None:
    assert tidy_url(given_url) == url


@pytest.mark.parametrize("url", [None, "", "  ", "\r\n\x00", "#top", "?x=1", " # ", "not a url"])
def test_a_url_of_nothing_is_none(url: str | None) -> None:
    assert tidy_url(url) is None


def test_the_query_is_kept_when_asked_for_but_never_the_fragment() -> None:
    assert tidy_url("HTTPS://A.example.test/p?Q=A%20b#top", keep_query=True) == (
        "https://a.example.test/p?Q=A%20b"
    )
    assert tidy_url("https://a.example.test/p?", keep_query=True) == "https://a.example.test/p"
    assert tidy_url("a/p?q#top", keep_query=True) == "a/p?q"


URLS = st.text() | st.lists(
    st.sampled_from(["http", "HTTPS", "://", "/", "?", "#", "@", ":", "[", "]", "a", "İ", " ", "%"])
).map("".join)


@given(URLS, st.booleans())
@example(url="a #", keep_query=False)
@example(url="http://u:p@/x", keep_query=False)
def test_a_tidy_url_stays_as_it_is(url: str, keep_query: bool) -> None:
    once = tidy_url(url, keep_query=keep_query)

    assert once is None or tidy_url(once, keep_query=keep_query) == once


@given(URLS)
def test_a_tidy_url_is_filled_and_has_no_fragment_query_or_control_character(url: str) -> None:
    found = tidy_url(url)

    if found is not None:
        assert found.strip() == found
        assert found
        assert not {"#", "?", "\n", "\r", "\x00"} & set(found)
        found.encode()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ('The "Shop"', "The 'Shop'"),
        ("  Demo \t App\n1 ", "Demo App 1"),
        ("Demo\x00App", "DemoApp"),
        ("", None),
        (" \x07 ", None),
        (None, None),
    ],
)
def test_an_application_is_a_name_that_cvm_can_search(name: str | None, found: str | None) -> None:
    assert application(name) == found


@pytest.mark.parametrize("url", [None, "", "  "])
def test_a_finding_without_a_url_is_at_its_web_applications(url: str | None) -> None:
    app = WebAppRef(id=9001, name="Demo App 1", url="https://app1.example.test/")

    assert place_of(url, app) == Place(app.url, 9001, "Demo App 1")


def test_a_finding_without_a_web_application_is_at_its_url() -> None:
    assert place_of("https://app1.example.test/x", None) == Place("https://app1.example.test/x")


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (
            PLACE,
            {
                "url": "https://app1.example.test/page1",
                "external_id": "9001",
                "application": "Demo App 1",
                "fqdn": "app1.example.test",
            },
        ),
        (
            Place("https://192.0.2.7:8443/"),
            {"url": "https://192.0.2.7:8443/", "ip_address": "192.0.2.7"},
        ),
        (
            Place("https://[2001:DB8::7]/"),
            {"url": "https://[2001:db8::7]/", "ip_address": "2001:db8::7"},
        ),
        (Place("https://[broken/"), {"url": "https://[broken/"}),
        (Place("localhost/app"), {"url": "localhost/app"}),
        (Place("not a url", 9001), {"external_id": "9001"}),
        (Place(webapp_id=0), {"external_id": "0"}),
        (Place(), {}),
    ],
    ids=str,
)
def test_a_locator_has_the_value_of_the_place(place: Place, values: dict[str, str]) -> None:
    found = {name: locator_value(name, place, keep_query=False) for name in LOCATORS}

    assert {name: value for name, value in found.items() if value is not None} == values


@pytest.mark.parametrize(
    ("order", "place", "key"),
    [
        (DEFAULT_ORDER, PLACE, "url:https://app1.example.test/page1"),
        (("external_id", "url"), PLACE, "external_id:9001"),
        (("application",), PLACE, "application:Demo App 1"),
        (("fqdn",), PLACE, "fqdn:app1.example.test"),
        (("ip_address", "fqdn"), PLACE, "fqdn:app1.example.test"),
        (DEFAULT_ORDER, Place(None, 9001, "Demo App 1"), "external_id:9001"),
        (DEFAULT_ORDER, Place(" ", None, "Demo App 1"), "application:Demo App 1"),
        (("url",), Place(None, 9001, "Demo App 1"), None),
        (DEFAULT_ORDER, Place(), None),
    ],
    ids=str,
)
def test_the_key_is_the_first_locator_with_a_value(
    order: tuple[str, ...], place: Place, key: str | None
) -> None:
    assert asset_key(place, Identity(order)) == key


def test_web_applications_whose_values_are_alike_are_one_asset_only_by_that_value() -> None:
    one, two = Place("https://x.example.test", 1, "A"), Place("https://x.example.test", 2, "A")

    assert asset_key(one, Identity()) == asset_key(two, Identity())
    assert asset_key(one, Identity(("external_id",))) != asset_key(two, Identity(("external_id",)))


@given(
    st.sampled_from(ORDERS),
    st.permutations(CVM_ORDER),
    st.builds(
        Place,
        st.sampled_from([None, "https://app1.example.test/p", "https://192.0.2.7/"]),
        st.none() | st.integers(1, 3),
        st.sampled_from([None, "", "Demo App 1"]),
    ),
)
def test_cvm_tells_the_asset_apart_by_the_key_that_was_chosen(
    order: tuple[str, ...], tenant: list[str], place: Place
) -> None:
    identity = Identity(order, tuple(tenant))
    key = asset_key(place, identity)
    if key is None:
        return
    name, _, value = key.partition(":")

    sent = sent_locators(key, place, identity)

    assert primary(sent, identity.tenant_order) == (name, value)


def test_a_tenants_own_order_keeps_higher_locators_out() -> None:
    own = Identity(("external_id",), ("application", "external_id", "url"))

    assert sent_locators("external_id:9001", PLACE, own) == {"external_id": "9001"}
    assert sent_locators("external_id:9001", PLACE, Identity(("external_id",))) == {
        "external_id": "9001",
        "application": "Demo App 1",
    }


def test_a_finding_url_is_no_locator_of_an_asset_that_is_a_whole_application() -> None:
    identity = Identity(("external_id",), ("external_id", "application", "url"))

    assert "url" not in sent_locators("external_id:9001", PLACE, identity)


def test_a_host_is_a_locator_only_where_it_was_asked_for() -> None:
    assert "fqdn" not in sent_locators("external_id:9001", PLACE, Identity(("external_id",)))
    asked = Identity(("url", "fqdn"))
    assert sent_locators("url:https://app1.example.test/page1", PLACE, asked)["fqdn"] == (
        "app1.example.test"
    )


def test_a_key_that_the_tenant_does_not_have_is_named() -> None:
    assert hidden_key(Identity(("url", "fqdn"), ("url", "external_id"))) == "fqdn"
    assert hidden_key(Identity()) is None


@pytest.mark.parametrize("host", ["192.0.2.7", "[2001:db8::1]"])
def test_an_address_is_sent_as_one(host: str) -> None:
    found = locator_value("ip_address", Place(f"https://{host}/"), keep_query=False)

    assert found is not None
    assert str(ip_address(found)) == host.strip("[]")


@pytest.mark.parametrize("host", ["app1.example.test", "192.0.2.300", "1"])
def test_a_name_is_never_sent_as_an_address(host: str) -> None:
    assert locator_value("ip_address", Place(f"https://{host}/"), keep_query=False) is None
    assert locator_value("fqdn", Place(f"https://{host}/"), keep_query=False) == host
