"""Regions and pasted addresses lead to one API server, or to a message that names it."""

from __future__ import annotations

import pytest

from tap_qualyswas.errors import SettingsError
from tap_qualyswas.qualys.platforms import API_HOSTS, find_platform, gateway_of


@pytest.mark.parametrize(("region", "host"), sorted(API_HOSTS.items()))
def test_each_region_has_its_api_server(region: str, host: str) -> None:
    platform = find_platform(region=region)

    assert platform.api_url == f"https://{host}"
    assert platform.place == f"{host} (region {region})"


@pytest.mark.parametrize(
    ("word", "region"),
    [("Canada", "CA1"), ("India", "IN1"), ("us2", "US2"), (" eu1 ", "EU1"), ("INDIA", "IN1")],
)
def test_words_of_the_hosted_form_are_regions_too(word: str, region: str) -> None:
    assert find_platform(region=word).region == region


def test_an_unknown_region_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"region must be one of US1, US2.*'US9'"):
        find_platform(region="US9")


def test_neither_region_nor_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="Neither region nor api_url is set"):
        find_platform()


@pytest.mark.parametrize(
    "text",
    [
        "qualysapi.qg9.example.test",
        "https://qualysapi.qg9.example.test/",
        "https://qualysapi.qg9.example.test//",
        "https://qualysapi.qg9.example.test/qps/rest/3.0/",
        "https://qualysapi.qg9.example.test/qps",
        "https://qualysapi.qg9.example.test/api/2.0/fo/knowledge_base/vuln/",
        "https://https://qualysapi.qg9.example.test",
        "  https://QualysAPI.qg9.Example.test  ",
        "https://qualysapi.qg9.example.test:443/qps",
        "https://qualysapi.qg9.example.test.",
    ],
)
def test_an_address_in_any_spelling_is_one_base(text: str) -> None:
    assert find_platform(api_url=text).api_url == "https://qualysapi.qg9.example.test"


def test_the_usual_port_names_no_other_platform() -> None:
    platform = find_platform(api_url="qualysapi.qualys.com:443")

    assert (platform.region, platform.gateway_url) == ("US1", "https://gateway.qg1.apps.qualys.com")


def test_a_path_prefix_of_a_private_platform_is_kept() -> None:
    platform = find_platform(api_url="https://qualysapi.example.test/tenant/qps/rest/3.0")

    assert platform.api_url == "https://qualysapi.example.test/tenant"


def test_an_address_wins_over_a_region_and_tells_its_own() -> None:
    platform = find_platform(region="US1", api_url="qualysapi.qg2.apps.qualys.com")

    assert platform.region == "US2"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("https://qualysguard.qg9.example.test", "https://qualysapi.qg9.example.test"),
        ("qualysguard.qualys.eu", "https://qualysapi.qualys.eu"),
        ("https://gateway.qg2.apps.qualys.com", "https://qualysapi.qg2.apps.qualys.com"),
        ("https://gateway.qg1.apps.qualys.com/auth", "https://qualysapi.qualys.com"),
        ("https://qualysgateway.example.test", "https://qualysapi.example.test"),
    ],
)
def test_a_portal_or_gateway_is_refused_with_the_server_to_use(text: str, right: str) -> None:
    with pytest.raises(SettingsError) as refused:
        find_platform(api_url=text)

    assert f"Set api_url to {right}." in str(refused.value)


@pytest.mark.parametrize("text", ["http://qualysapi.qg9.example.test", "http://192.0.2.1:8080"])
def test_plain_http_to_another_machine_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="must begin with https://") as refused:
        find_platform(api_url=text)

    assert f"(got {text})" in str(refused.value)


@pytest.mark.parametrize("text", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"])
def test_plain_http_to_this_machine_is_allowed(text: str) -> None:
    assert find_platform(api_url=text).api_url == text


@pytest.mark.parametrize("text", ["https://", "ftp://qualysapi.example.test", "a b", "x:y:z", "/"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="api_url is not an https:// address") as refused:
        find_platform(api_url=text)

    assert f"(got {text})" in str(refused.value)


@pytest.mark.parametrize("after", ["", ":port"])
@pytest.mark.parametrize(
    "secret", ["hidden-word", "a/hidden-word", "a#hidden-word", "a hidden-word"]
)
def test_a_login_inside_an_address_is_refused_and_not_shown(secret: str, after: str) -> None:
    text = f"https://someone:{secret}@qualysapi.example.test{after}"
    with pytest.raises(SettingsError) as refused:
        find_platform(api_url=text)

    assert "hidden-word" not in str(refused.value)


@pytest.mark.parametrize(
    ("api_url", "gateway"),
    [
        ("https://qualysapi.qualys.com", "https://gateway.qg1.apps.qualys.com"),
        ("https://qualysapi.qualys.eu", "https://gateway.qg1.apps.qualys.eu"),
        ("https://qualysapi.qg2.apps.qualys.com", "https://gateway.qg2.apps.qualys.com"),
        ("https://qualysapi.qg1.apps.qualysksa.com", "https://gateway.qg1.apps.qualysksa.com"),
        ("https://qualysapi.example.test", "https://qualysgateway.example.test"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_gateway_is_found_from_the_api_server(api_url: str, gateway: str) -> None:
    assert gateway_of(api_url) == gateway
    assert find_platform(api_url=api_url).gateway_url == gateway


def test_a_gateway_that_is_set_is_taken() -> None:
    platform = find_platform(region="US1", gateway_url="gateway.example.test/auth/oidc")

    assert platform.gateway_url == "https://gateway.example.test"
