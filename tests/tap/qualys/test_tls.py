"""Certificates are always verified; what breaks a connection is not taken for a bad certificate."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas import errors
from tests.support.certificates import certificate
from tests.tap.scripted import FINDINGS, Answer, ScriptedServer, finding, page
from tests.tap.syncs import Outcome, sync_here

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

ROWS: Final = page(finding(1), finding(2))


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


def sync(server: ScriptedServer, ca_bundle: Path | None) -> Outcome:
    bundle = {} if ca_bundle is None else {"ca_bundle": str(ca_bundle)}
    return sync_here(
        {**server.config, **bundle, "finding_types": ["VULNERABILITY"], "max_attempts": 4}
    )


def test_a_certificate_that_nobody_vouches_for_is_refused(
    trusted: tuple[Path, ssl.SSLContext],
) -> None:
    with (
        ScriptedServer(tls=trusted[1]) as server,
        pytest.raises(
            errors.UntrustedServer, match="set ca_bundle to the file with its CA certificate"
        ) as raised,
    ):
        sync(server, None)

    assert raised.value.exit_code == 2
    assert server.requests == []


def test_an_own_authority_is_trusted_where_it_is_named(
    trusted: tuple[Path, ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, _ = certificate(tmp_path / "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with ScriptedServer({FINDINGS: [Answer(ROWS)]}, tls=trusted[1]) as server:
        outcome = sync(server, trusted[0])

    assert [row["id"] for row in outcome.records("findings")] == [1, 2]
    assert outcome.proof["apiUrl"] == server.url


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    made, context = certificate(tmp_path, "other.example.test")
    with ScriptedServer(tls=context) as server, pytest.raises(errors.UntrustedServer):
        sync(server, made)

    assert server.requests == []


@pytest.mark.parametrize("broken", [Answer(ROWS, cut=len(ROWS) // 2), Answer(reset=True)])
def test_a_connection_that_breaks_is_made_again(
    broken: Answer, trusted: tuple[Path, ssl.SSLContext]
) -> None:
    with ScriptedServer({FINDINGS: [broken, Answer(ROWS)]}, tls=trusted[1]) as server:
        outcome = sync(server, trusted[0])

    assert [row["id"] for row in outcome.records("findings")] == [1, 2]


@contextmanager
def closing(first_words: bytes = b"") -> Iterator[str]:
    """Listen on loopback, and close each connection, after some words that are no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))

    def close_all() -> None:
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(first_words)
        except OSError:
            return

    thread = threading.Thread(target=close_all, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_handshake_that_breaks_is_no_matter_of_the_certificate(words: bytes) -> None:
    with closing(words) as url, pytest.raises(errors.Unreachable) as raised:
        sync_here({"api_url": url, "username": "a", "password": "b", "max_attempts": 3})

    assert raised.value.exit_code == 1
    assert "Gave up after 3 attempts" in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("407 Proxy Authentication Required", "(HTTP 407). Check the user name and password in"),
        ("403 Forbidden", "(HTTP 403). Check HTTPS_PROXY and NO_PROXY."),
    ],
)
def test_a_proxy_that_refuses_is_told_with_its_status(
    answer: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with closing(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode()) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.replace("https:", "http:"))
        login = {"username": "a", "password": "b", "max_attempts": 1}
        with pytest.raises(errors.Unreachable) as raised:
            sync_here({"api_url": "https://qualysapi.example.test", **login})

    assert told in str(raised.value)


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_without_certificates_is_refused_by_the_settings_name(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(content)
    with ScriptedServer() as server, pytest.raises(errors.SettingsError, match="ca_bundle"):
        sync(server, path)

    assert server.requests == []
