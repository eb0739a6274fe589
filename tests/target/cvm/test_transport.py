"""What may pass by itself is asked again; what does not is told with its cause."""

from __future__ import annotations

import gzip
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.transport import Transport
from target_ciscovm.errors import (
    BrokenAnswer,
    CiscoVMError,
    RequestRefused,
    TimedOut,
    Unavailable,
    Unreachable,
    WrongHost,
)
from tests.support.dripping import DrippingServer
from tests.target.cvm.listing import IMPORTER, listing
from tests.target.cvm.quick import CONNECTOR, KEY, QUICK, connect
from tests.target.cvm.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain"])
def test_a_web_page_at_first_is_the_wrong_host(
    server: ScriptedServer, status: int, kind: str
) -> None:
    page = Reply(status, text="\n <!doctype html><p>Log in</p>", headers={"Content-Type": kind})
    server.script("GET", "/connectors", page)

    with pytest.raises(WrongHost, match="web page") as caught:
        connect(server).connector()

    assert "Log in" not in str(caught.value)
    assert len(server.requests) == 1


def test_a_web_page_later_is_a_bad_moment(server: ScriptedServer) -> None:
    page = Reply(text="<html>maintenance</html>", headers={"Content-Type": "text/html"})
    server.script("GET", "/connectors", listing(IMPORTER), page, listing(IMPORTER))
    api = connect(server)
    api.connector()

    assert not api.is_running()
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "bad",
    [
        Reply(429, {"success": "false", "error": "too many requests"}),
        Reply(500, text=""),
        Reply(502, text="<html>Bad Gateway</html>", headers={"Content-Type": "text/html"}),
        Reply(503, text="x"),
        Reply(504, text="x"),
        Reply(408, text="x"),
        Reply(200, text=""),
        Reply(200, text='{"connectors": ['),
        Reply(200, text='"a text"'),
        Reply(200, text="[" * 100_000 + "]" * 100_000),
        Reply(failure="reset"),
        Reply(json={"connectors": [IMPORTER]}, failure="cut"),
        Reply(headers={"Content-Encoding": "gzip"}, text="no gzip"),
    ],
    ids=lambda reply: f"{reply.status} {reply.failure or reply.text or ''}"[:20],
)
def test_what_may_pass_by_itself_is_asked_again(server: ScriptedServer, bad: Reply) -> None:
    server.script("GET", "/connectors", bad, bad, listing(IMPORTER))

    assert connect(server).connector().id == CONNECTOR
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (Reply(503, text="x"), Unavailable),
        (Reply(200, text=""), BrokenAnswer),
        (Reply(failure="reset"), BrokenAnswer),
    ],
)
def test_tries_end_and_are_counted_in_the_message(
    server: ScriptedServer, bad: Reply, error: type[CiscoVMError]
) -> None:
    server.script("GET", "/connectors", bad)

    with pytest.raises(error, match=r"Tried 3 times within \d+ s\.") as caught:
        connect(server, replace(QUICK, max_attempts=3)).connector()

    assert caught.value.exit_code == 1
    assert len(server.requests) == 3


def test_a_silent_server_is_given_up_in_time(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(failure="hang"))

    with pytest.raises(TimedOut, match="did not answer within"):
        connect(server, replace(QUICK, read_seconds=0.1, max_attempts=2)).connector()

    assert len(server.requests) == 2


def test_an_answer_that_never_ends_is_given_up() -> None:
    with (
        DrippingServer("of known length") as server,
        pytest.raises(TimedOut, match=r"kept a call open for \d s without an answer"),
    ):
        connect(server.url, replace(QUICK, read_seconds=0.1, max_attempts=1)).connector()


def test_another_refusal_is_quoted_without_the_key(server: ScriptedServer) -> None:
    told = {"success": "false", "error": "bad request", "message": f"no\n{KEY} " + "x" * 999}
    server.script("GET", "/connectors", Reply(400, told))

    with pytest.raises(RequestRefused, match=r"HTTP 400: no \*\*\* x") as caught:
        connect(server).connector()

    assert len(server.requests) == 1
    assert len(str(caught.value)) < 400


def test_a_refusal_without_a_reason_says_so(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(400, text=""))

    with pytest.raises(RequestRefused, match="no reason given"):
        connect(server).connector()


def test_a_name_that_is_not_known_is_told() -> None:
    with pytest.raises(Unreachable, match=r"host name of nowhere\.invalid is unknown"):
        connect("https://nowhere.invalid").connector()


def test_a_refused_connection_is_told_after_few_tries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} refuses the connection.*3 times"):
        connect(f"http://127.0.0.1:{port}", replace(QUICK, max_attempts=100)).connector()


def test_a_server_without_tls_is_told(server: ScriptedServer) -> None:
    with pytest.raises(Unreachable, match="No secure connection"):
        connect(server.url.replace("http:", "https:"), replace(QUICK, max_attempts=1)).connector()


def test_a_proxy_that_is_not_there_is_told_without_its_password(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:MARKER@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(Unreachable, match="HTTPS_PROXY") as caught:
        connect("https://api.example.test", replace(QUICK, max_attempts=1)).connector()

    assert "MARKER" not in str(caught.value)
    assert caught.value.__cause__ is None or "MARKER" not in str(caught.value.__cause__)
    assert server.requests == []


@pytest.mark.parametrize(("limit", "fits"), [(1000, True), (999, False)])
@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_above_the_limit_is_not_read_on(
    server: ScriptedServer, status: int, limit: int, fits: bool
) -> None:
    packed = gzip.compress(b"{" + b" " * 998 + b"}").decode("latin-1")
    reply = Reply(status, text=packed, headers={"Content-Encoding": "gzip"}, charset="latin-1")
    server.script("GET", "/connectors", reply)
    transport = Transport(server.url, KEY, None, QUICK, max_answer_bytes=limit)

    if fits:
        assert len(transport.send("GET", "/connectors").body) == 1000
    else:
        with pytest.raises(BrokenAnswer, match="more than 999 bytes"):
            transport.send("GET", "/connectors")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://alex:s3cret@login.example.test/x", "a redirect to login.example.test"),
        ("/x", "a redirect to another page"),
    ],
)
def test_a_redirect_is_told_by_its_host_alone(
    server: ScriptedServer, location: str, told: str
) -> None:
    server.script("GET", "/connectors", Reply(302, text="", headers={"Location": location}))

    with pytest.raises(WrongHost, match=told) as caught:
        connect(server).connector()

    assert "s3cret" not in str(caught.value)


def test_a_redirect_to_what_is_no_url_is_a_broken_answer(server: ScriptedServer) -> None:
    reply = Reply(302, text="", headers={"Location": "https://[::1/x"})
    server.script("GET", "/connectors", reply, listing(IMPORTER))

    assert connect(server).connector().id == CONNECTOR


def test_a_file_that_does_not_end_in_time_is_given_up(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.script("GET", "/file", Reply(text="x" * 100))
    download = connect(server).calls.transport.download
    with (tmp_path / "file").open("w+b") as file:
        with pytest.raises(TimedOut, match="did not send the whole file in time"):
            download("/file", file, query=[], deadline=0.0)
        told = download("/file", file, query=[], deadline=time.monotonic() + 60)
        file.seek(0)

        assert (told.status, told.body, file.read()) == (200, b"", b"x" * 100)
