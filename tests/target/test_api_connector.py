from __future__ import annotations

import logging
import socket
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
import requests

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.cvm.connector import Connector
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.errors import (
    BadKey,
    BrokenAnswer,
    CiscoVMError,
    ConnectorBusy,
    ConnectorMissing,
    KeyLacksRights,
    NotADataImporter,
    RateLimited,
    RequestRefused,
    SettingsError,
    TimedOut,
    Unavailable,
    Unreachable,
    WrongHost,
)
from tests.target.quick import CONNECTOR, KEY, QUICK, Log, connect
from tests.target.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMPORTER = {"id": CONNECTOR, "name": "Qualys WAS", "host": None, "running": False}
OTHER = {"id": 3, "name": "Tickets", "host": "tickets.example.test", "running": False}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def listing(*connectors: dict[str, object], **reply: object) -> Reply:
    return Reply(json={"connectors": list(connectors)}, **reply)  # type: ignore[arg-type]


def test_a_data_importer_is_found_by_its_number(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER, IMPORTER))

    assert connect(server).connector() == Connector(CONNECTOR, "Qualys WAS", None, running=False)


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


def test_the_time_is_the_servers_of_its_first_answer(server: ScriptedServer) -> None:
    server.script(
        "GET",
        "/connectors",
        Reply(502, text="", headers={"Date": "Sun, 05 May 2024 08:00:00 GMT"}),
        listing(IMPORTER, headers={"Date": "Mon, 06 May 2024 08:00:00 GMT"}),
    )
    api = connect(server)
    assert api.server_now is None

    api.connector()

    assert api.server_now == datetime(2024, 5, 5, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 May 2024 08:00:00 GMT"])
def test_an_unreadable_date_is_no_date(server: ScriptedServer, date: str) -> None:
    server.script("GET", "/connectors", listing(IMPORTER, headers={"Date": date}))
    api = connect(server)

    api.connector()

    assert api.server_now is None


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


def test_a_connector_that_is_not_there_is_told_with_those_that_are(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER, IMPORTER | {"id": 77, "name": "Demo"}))

    with pytest.raises(ConnectorMissing, match=r"no connector 42 .* Data Importers: 77 \(Demo\)\."):
        connect(server).connector()


def test_a_long_list_of_connectors_is_cut(server: ScriptedServer) -> None:
    many = [IMPORTER | {"id": number, "name": f"Demo {number}"} for number in range(100, 109)]
    server.script("GET", "/connectors", listing(*many))

    with pytest.raises(ConnectorMissing, match=r"104 \(Demo 104\) and 4 more"):
        connect(server).connector()


def test_a_connector_that_fetches_by_itself_is_refused(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER | {"id": CONNECTOR}))

    with pytest.raises(NotADataImporter, match=r"tickets\.example\.test"):
        connect(server).connector()


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("wrapped", [True, False])
def test_where_the_list_is_not_given_the_single_connector_is_asked_for(
    server: ScriptedServer, status: int, *, wrapped: bool
) -> None:
    server.script("GET", "/connectors", Reply(status, {"success": False}))
    row = {"id": CONNECTOR, "name": "Demo", "running": True}
    server.script("GET", "/connectors/42", Reply(json={"connector": row} if wrapped else row))
    api = connect(server)

    assert api.connector() == Connector(CONNECTOR, "Demo", None, running=True)
    assert api.is_running()
    assert len(server.asked("GET", "/connectors")) == 1


def test_an_api_without_connectors_misses_the_connector(server: ScriptedServer) -> None:
    with pytest.raises(ConnectorMissing, match="no connector 42"):
        connect(server).connector()


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


def test_a_redirect_is_not_followed_and_the_key_stays_here(server: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        target = f"{elsewhere.url}/connectors?token=MARKER"
        server.script("GET", "/connectors", Reply(302, headers={"Location": target}))

        with pytest.raises(WrongHost, match="redirect to 127") as caught:
            connect(server).connector()

        assert elsewhere.requests == []
        assert "MARKER" not in str(caught.value)


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

    with pytest.raises(error, match=r"Asked 3 times within \d+ s\.") as caught:
        connect(server, replace(QUICK, max_attempts=3)).connector()

    assert caught.value.exit_code == 1
    assert len(server.requests) == 3


def test_a_silent_server_is_given_up_in_time(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(failure="hang"))

    with pytest.raises(TimedOut, match="did not answer within"):
        connect(server, replace(QUICK, read_seconds=0.1, max_attempts=2)).connector()

    assert len(server.requests) == 2


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


def test_a_wait_that_the_server_names_is_kept(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(429, headers={"Retry-After": "1"}), listing(IMPORTER))

    connect(server).connector()

    assert server.requests[1].at - server.requests[0].at >= 1


def test_a_date_to_wait_for_is_read_by_the_servers_clock(server: ScriptedServer) -> None:
    headers = {
        "Date": "Mon, 06 May 2024 08:00:00 GMT",
        "Retry-After": "Mon, 06 May 2024 08:00:01 GMT",
    }
    server.script("GET", "/connectors", Reply(503, headers=headers), listing(IMPORTER))

    connect(server).connector()

    assert 1 <= server.requests[1].at - server.requests[0].at < 3


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9x", "٣"])
def test_an_unreadable_wait_is_none(server: ScriptedServer, text: str) -> None:
    reply = Reply(429, headers={"Retry-After": text.encode().decode("latin-1")})
    server.script("GET", "/connectors", reply, listing(IMPORTER))

    connect(server).connector()

    assert server.requests[1].at - server.requests[0].at < 1


def test_too_long_a_wait_ends_at_once_and_is_told(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(429, headers={"Retry-After": "86400"}))

    with pytest.raises(RateLimited, match="86,400 s; max_wait_seconds"):
        connect(server).connector()

    assert len(server.requests) == 1


def test_too_many_requests_are_no_failed_tries(server: ScriptedServer) -> None:
    busy = [Reply(429, {"success": "false"})] * 6
    server.script("GET", "/connectors", *busy, listing(IMPORTER))

    assert connect(server, replace(QUICK, max_attempts=2)).connector().id == CONNECTOR


def test_all_waits_together_are_bounded(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(429, {"success": "false"}))

    with pytest.raises(RateLimited):
        connect(server, replace(QUICK, max_wait_seconds=0.2)).connector()

    assert 3 < len(server.requests) < 20


def test_requests_follow_one_another_below_five_a_second(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER))
    api = connect(server, replace(QUICK, pace_seconds=RetryPolicy().pace_seconds))

    for _ in range(7):
        api.connector()

    times = [request.at for request in server.requests]
    assert all(later - earlier > 1 for earlier, later in zip(times, times[5:], strict=False))


def test_a_name_that_is_not_known_is_told() -> None:
    with pytest.raises(Unreachable, match=r"host name of nowhere\.invalid is not known"):
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

    with pytest.raises(SettingsError, match=r"ca_bundle names .*own\.pem"):
        CiscoVMClient(
            api_url="https://api.example.test", api_key=KEY, connector_id=1, ca_bundle=str(path)
        )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"overage_status": True}, True),
        ({"overage_status": "true"}, True),
        ({"overage_status": False}, False),
        ({"overage_status": "false"}, False),
        ({"overage_status": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_licence_over_its_limit_is_seen(
    server: ScriptedServer, told: object, *, expected: bool | None
) -> None:
    server.script("GET", "/entitlements/overage", Reply(json=told))

    assert connect(server).overage() is expected


@pytest.mark.parametrize(
    "bad",
    [Reply(401), Reply(403), Reply(404, {}), Reply(500), Reply(400), Reply(failure="reset")],
    ids=lambda reply: str(reply.status) + reply.failure,
)
def test_the_question_about_the_licence_never_fails_a_run(
    server: ScriptedServer, bad: Reply
) -> None:
    server.script("GET", "/entitlements/overage", bad)

    assert connect(server).overage() is None


def test_a_busy_connector_is_waited_for(server: ScriptedServer) -> None:
    running = listing(IMPORTER | {"running": True})
    server.script("GET", "/connectors", running, running, running, listing(IMPORTER))
    log = Log()

    connect(server).wait_until_idle(5, log)

    assert len(server.requests) == 4
    assert log.lines == ["Connector 42 is busy with a run; waiting for its end"]


def test_an_idle_connector_needs_no_wait(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER))
    log = Log()

    connect(server).wait_until_idle(0, log)

    assert log.lines == []


def test_a_connector_that_stays_busy_ends_the_wait(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER | {"running": "true"}))

    with pytest.raises(ConnectorBusy, match="nothing of this load has been run") as caught:
        connect(server).wait_until_idle(0.05, Log())

    assert caught.value.exit_code == 1


def test_no_log_at_any_level_shows_the_key(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script("GET", "/connectors", Reply(500), Reply(401, {"message": KEY}))

    with pytest.raises(BadKey) as caught:
        connect(server).connector()

    assert "Asking again" in caplog.text
    assert KEY not in caplog.text
    assert KEY not in repr(caught.value.__cause__)
