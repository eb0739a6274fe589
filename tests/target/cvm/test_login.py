"""The key goes to CVM, and nowhere else; one that is not taken is refused at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.errors import (
    BadKey,
    KeyLacksRights,
    SettingsError,
    WrongHost,
)
from tests.target.cvm.listing import IMPORTER, listing
from tests.target.cvm.quick import CONNECTOR, KEY, QUICK, connect
from tests.target.cvm.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path


def test_each_request_carries_the_key_and_our_own_name(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER))

    connect(server).connector()

    headers = server.requests[0].headers
    assert headers["X-Risk-Token"] == KEY
    assert headers["User-Agent"].startswith("target-ciscovm/")
    assert "Authorization" not in headers


def test_a_login_in_netrc_is_not_sent(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password MARKER\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    server.script("GET", "/connectors", listing(IMPORTER))
    requests.get(f"{server.url}/connectors", timeout=2)
    assert "Authorization" in server.requests[0].headers  # the library alone would send it

    connect(server).connector()

    assert "Authorization" not in server.requests[1].headers


def test_a_bad_key_is_refused_at_once(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(401, {"error": "unauthorized", "message": KEY}))

    with pytest.raises(BadKey, match="api_key") as caught:
        connect(server).connector()

    assert caught.value.exit_code == 2
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)


def test_a_key_without_rights_is_refused_at_once(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(403, {"success": "false", "error": "forbidden"}))

    with pytest.raises(KeyLacksRights, match="see the connectors"):
        connect(server).connector()

    assert len(server.requests) == 1


def test_a_redirect_is_not_followed_and_the_key_stays_here(server: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        target = f"{elsewhere.url}/connectors?token=MARKER"
        server.script("GET", "/connectors", Reply(302, headers={"Location": target}))

        with pytest.raises(WrongHost, match="redirect to 127") as caught:
            connect(server).connector()

        assert elsewhere.requests == []
        assert "MARKER" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nend", "kléf", "nul\x00"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError, match="api_key") as caught:
        CiscoVMClient(api_url="https://api.example.test", api_key=key, connector_id=1)

    assert not key.strip() or key not in str(caught.value)


def test_blanks_around_a_pasted_key_are_cut(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER))

    CiscoVMClient(
        api_url=server.url, api_key=f" {KEY}\n", connector_id=CONNECTOR, policy=QUICK
    ).connector()

    assert server.requests[0].headers["X-Risk-Token"] == KEY


@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nx"])
def test_certificates_that_cannot_be_read_are_refused_by_path(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "own.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"^ca_bundle .*own\.pem"):
        CiscoVMClient(
            api_url="https://api.example.test", api_key=KEY, connector_id=1, ca_bundle=str(path)
        )


def test_no_log_at_any_level_shows_the_key(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script("GET", "/connectors", Reply(500), Reply(401, {"message": KEY}))

    with pytest.raises(BadKey) as caught:
        connect(server).connector()

    assert "Trying again" in caplog.text
    assert KEY not in caplog.text
    assert KEY not in repr(caught.value.__cause__)
