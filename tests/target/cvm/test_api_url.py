from __future__ import annotations

import pytest

from target_ciscovm.cvm.api_url import DEFAULT_API_URL, tidy_api_url
from target_ciscovm.errors import Refused, SettingsError


@pytest.mark.parametrize(
    ("given", "base"),
    [
        (None, DEFAULT_API_URL),
        ("", DEFAULT_API_URL),
        ("  ", DEFAULT_API_URL),
        ("api.kennasecurity.com", "https://api.kennasecurity.com"),
        ("https://api.kennasecurity.com", "https://api.kennasecurity.com"),
        (" https://api.kennasecurity.com/ \n", "https://api.kennasecurity.com"),
        ("https://API.EU.KennaSecurity.com//", "https://api.eu.kennasecurity.com"),
        ("https://api.eu.kennasecurity.com/connectors/42", "https://api.eu.kennasecurity.com"),
        ("https://api.kennasecurity.com/v1?x=1#y", "https://api.kennasecurity.com"),
        ("https://https://api.kennasecurity.com", "https://api.kennasecurity.com"),
        ("api.kennasecurity.cisco.com", "https://api.kennasecurity.cisco.com"),
        ("cvm.example.test:8443/", "https://cvm.example.test:8443"),
        ("https://gate.example.test/cvm/", "https://gate.example.test/cvm"),
        ("https://gate.example.test/cvm/connectors/42/run", "https://gate.example.test/cvm"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_written_in_any_way_gives_one_base(given: str | None, base: str) -> None:
    assert tidy_api_url(given) == base


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("https://mycompany.kennasecurity.com", "https://api.kennasecurity.com"),
        ("mycompany.eu.kennasecurity.com/connectors", "https://api.eu.kennasecurity.com"),
        ("https://mycompany.labs.us.kennasecurity.com", "https://api.labs.us.kennasecurity.com"),
        ("kennasecurity.com", "https://api.kennasecurity.com"),
        ("https://help.kennasecurity.com/hc", "https://api.kennasecurity.com"),
        ("https://mycompany.kennasecurity.cisco.com", "https://api.kennasecurity.cisco.com"),
    ],
)
def test_a_page_for_people_is_refused_with_the_host_to_use(given: str, named: str) -> None:
    with pytest.raises(SettingsError, match="Settings > API Keys") as caught:
        tidy_api_url(given)
    assert f"Set api_url to {named} (" in str(caught.value)


def test_another_domain_that_ends_alike_is_not_taken_for_the_vendors() -> None:
    assert tidy_api_url("notkennasecurity.com/x") == "https://notkennasecurity.com/x"


@pytest.mark.parametrize(
    "given",
    [
        "http://api.kennasecurity.com",
        "http://192.0.2.7",
        "http://localhost.example.test",
        "ftp://api.kennasecurity.com",
        "https://",
        "https://api.example.test:port",
        "https://api example.test",
        "https://[::1",
        "file:///etc/passwd",
    ],
)
def test_what_cannot_be_called_safely_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="api_url"):
        tidy_api_url(given)


@pytest.mark.parametrize(
    "given", ["http://192.0.2.7/x", "https://api example.test", "ftp://a.test"]
)
def test_a_refused_address_is_shown(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        tidy_api_url(given)
    assert f"(got {given})" in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "https://someone:MARKER@api.kennasecurity.com:port",
        "https://someone:MAR#MARKER@api.kennasecurity.com",
        "https://api.example.test:port?key=MARKER",
    ],
)
def test_what_is_secret_in_a_refused_address_is_not_shown(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        tidy_api_url(given)
    assert "MARKER" not in str(caught.value)


def test_a_login_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        tidy_api_url("https://someone:MARKER@api.kennasecurity.com")
    assert "MARKER" not in str(caught.value)


def test_a_refused_address_ends_with_exit_code_2() -> None:
    with pytest.raises(Refused) as caught:
        tidy_api_url("http://192.0.2.7")
    assert caught.value.exit_code == 2
