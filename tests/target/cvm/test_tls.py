from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.errors import UntrustedServer
from tests.target.cvm.quick import CONNECTOR, KEY, QUICK
from tests.target.cvm.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a key")

LISTING = Reply(json={"connectors": [{"id": CONNECTOR, "name": "Demo", "host": None}]})


def certificate(folder: Path, names: str) -> tuple[Path, Path]:
    """Make a certificate that signs itself, and its key."""
    made, key = folder / "made.pem", folder / "key.pem"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    line += ["-subj", "/CN=made up", "-addext", f"subjectAltName={names}"]
    subprocess.run([*line, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    return made, key


@pytest.fixture
def names() -> str:
    return "IP:127.0.0.1"


@pytest.fixture
def trusted(names: str, tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    made, key = certificate(tmp_path, names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return made, context


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
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate(other, "IP:127.0.0.1")[0]))

    assert connect(server, trusted[0]).connector().name == "Demo"


@pytest.mark.parametrize("names", ["DNS:other.example.test"])
def test_a_certificate_of_another_host_is_refused(
    server: ScriptedServer, trusted: tuple[Path, ssl.SSLContext]
) -> None:
    with pytest.raises(UntrustedServer):
        connect(server, trusted[0]).connector()

    assert server.requests == []
