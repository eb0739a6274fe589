"""Certificates are always verified, and ca_bundle alone says whose are trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.errors import SettingsError, UntrustedServer
from tests.support.certificates import HERE, certificate
from tests.target.cvm.quick import CONNECTOR, KEY, QUICK
from tests.target.cvm.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

LISTING = Reply(json={"connectors": [{"id": CONNECTOR, "name": "Demo", "host": None}]})


@pytest.fixture
def name() -> str:
    return HERE


@pytest.fixture
def trusted(name: str, tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path, name)


@pytest.fixture
def server(trusted: tuple[Path, ssl.SSLContext]) -> Iterator[ScriptedServer]:
    with ScriptedServer(trusted[1]) as server:
        server.script("GET", "/connectors", LISTING)
        yield server


def connect(server: ScriptedServer, ca_bundle: Path | None) -> CiscoVMClient:
    return CiscoVMClient(
        api_url=server.url,
        api_key=KEY,
        connector_id=CONNECTOR,
        ca_bundle=str(ca_bundle) if ca_bundle else None,
        policy=replace(QUICK, max_attempts=3),
    )


def test_a_certificate_that_nobody_vouches_for_is_refused(server: ScriptedServer) -> None:
    with pytest.raises(UntrustedServer, match="ca_bundle") as caught:
        connect(server, None).connector()

    assert caught.value.exit_code == 2
    assert server.requests == []


def test_an_own_certificate_is_trusted_where_it_is_named(
    server: ScriptedServer, trusted: tuple[Path, ssl.SSLContext]
) -> None:
    assert connect(server, trusted[0]).connector().name == "Demo"


def test_a_variable_does_not_take_the_place_of_the_setting(
    server: ScriptedServer,
    trusted: tuple[Path, ssl.SSLContext],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other, _ = certificate(tmp_path / "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))

    assert connect(server, trusted[0]).connector().name == "Demo"


@pytest.mark.parametrize("name", ["other.example.test"])
def test_a_certificate_of_another_host_is_refused(
    server: ScriptedServer, trusted: tuple[Path, ssl.SSLContext]
) -> None:
    with pytest.raises(UntrustedServer):
        connect(server, trusted[0]).connector()

    assert server.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, b"no PEM"])
def test_a_variable_without_certificates_is_told_by_name(
    variable: str, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(path))

    with pytest.raises(SettingsError, match=rf"^{variable} .*ca\.pem") as caught:
        CiscoVMClient(api_url="https://api.example.test", api_key=KEY, connector_id=CONNECTOR)

    assert caught.value.exit_code == 2


def test_a_variable_is_of_no_use_without_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with ScriptedServer() as server:
        server.script("GET", "/connectors", LISTING)

        assert connect(server, None).connector().name == "Demo"


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks5h://127.0.0.1:9", r"Install qualyswas-ciscovm\[socks\]"),
        ("http://[", r"not a valid URL \(HTTPS_PROXY is http://\[\)"),
        ("http://user:MARKER@[", r"not a valid URL \(HTTPS_PROXY is http://\[\)"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_at_once(
    proxy: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    client = CiscoVMClient(
        api_url="https://api.example.test", api_key=KEY, connector_id=CONNECTOR, policy=QUICK
    )

    with pytest.raises(SettingsError, match=told):
        client.connector()
