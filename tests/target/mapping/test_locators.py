"""What an asset is, and which of its values CVM gets to tell it apart by."""

from __future__ import annotations

import itertools
from ipaddress import ip_address

import pytest
from hypothesis import given
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
    last_key,
    locator_value,
    place_of,
    sent_locators,
)
from target_ciscovm.mapping.records import WebAppRef
from tests.sandbox.ciscovm.kdi.locators import primary

PLACE = Place("https://app1.example.test/page1?x=1", 9001, "Demo App 1")
ORDERS = [order for size in (1, 2, 3) for order in itertools.permutations(LOCATORS, size)]


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


@pytest.mark.parametrize("url", [None, "", "  ", "N/A", "-", "None", "#top"], ids=repr)
def test_a_finding_without_a_url_is_at_its_web_applications(url: str | None) -> None:
    app = WebAppRef(id=9001, name="Demo App 1", url="https://app1.example.test/")

    assert place_of(url, app) == Place(app.url, 9001, "Demo App 1")


def test_a_finding_on_a_bare_path_is_at_its_web_application() -> None:
    app = WebAppRef(id=9001, name="Demo App 1", url="https://app1.example.test/start?x")

    assert place_of("/login", app) == Place("https://app1.example.test/login", 9001, "Demo App 1")


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
        (
            Place("https://[fe80::7%25eth-0]:8443/"),
            {"url": "https://[fe80::7%25eth-0]:8443/", "ip_address": "fe80::7"},
        ),
        (Place("https://[broken/"), {"url": "https://[broken/"}),
        (Place("localhost/app"), {"url": "localhost/app", "fqdn": "localhost"}),
        (Place("/only/path"), {}),
        (Place("N/A", 9001, "Demo"), {"external_id": "9001", "application": "Demo"}),
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


def test_an_asset_of_an_earlier_preference_is_not_given_what_is_preferred_now() -> None:
    identity = Identity(("external_id", "application"))

    assert sent_locators("url:https://app.example.test/a", PLACE, identity) == {
        "url": "https://app.example.test/a"
    }


def test_a_finding_url_is_no_locator_of_an_asset_that_is_a_whole_application() -> None:
    identity = Identity(("external_id",), ("external_id", "application", "url"))

    assert "url" not in sent_locators("external_id:9001", PLACE, identity)


@pytest.mark.parametrize("name", [None, "", " "])
def test_an_asset_without_an_application_name_takes_the_host_of_its_url(name: str | None) -> None:
    place = Place("https://u:p@App1.example.test:8443/page1?x", 9001, name)

    for key in ("url:https://app1.example.test:8443/page1", "external_id:9001"):
        sent = sent_locators(key, place, Identity())
        assert sent["application"] == "app1.example.test"
    assert "application" not in sent_locators("external_id:9001", Place(None, 9001), Identity())


def test_a_host_is_the_key_only_of_what_has_no_other_and_never_before_a_name() -> None:
    place = Place("https://app1.example.test/page1", 9001)

    assert asset_key(place, Identity(("application",))) is None
    assert last_key(place, Identity(("application",))) == "application:app1.example.test"
    assert last_key(place, Identity(("fqdn",))) is None
    assert last_key(Place(None, 9001), Identity(("application",))) is None


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
