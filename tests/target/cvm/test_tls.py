"""Certificates are always verified, and ca_bundle alone says whose are trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.errors import UntrustedServer
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
