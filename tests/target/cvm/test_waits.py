"""Waits are the server's where it names them, bounded, and by its own clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Final

import pytest

from target_ciscovm.cvm.answer import read_retry_after
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.errors import (
    RateLimited,
)
from tests.target.cvm.listing import IMPORTER, listing
from tests.target.cvm.quick import CONNECTOR, QUICK, connect
from tests.target.cvm.scripted_server import Reply, ScriptedServer


def dated(date: str) -> Reply:
    return listing(IMPORTER, headers={"Date": date})


EIGHT: Final = "Mon, 06 May 2024 08:00:00 GMT"
LATER: Final = "Mon, 06 May 2024 08:09:00 GMT"
MUCH_LATER: Final = "Tue, 06 May 2098 08:00:00 GMT"


@pytest.mark.parametrize(
    "answers",
    [
        [dated(EIGHT), dated(LATER)],
        [Reply(502, text="", headers={"Date": MUCH_LATER}), dated(EIGHT), dated(LATER)],
        [Reply(429, {}, headers={"Date": MUCH_LATER}), dated(EIGHT), dated(LATER)],
        [dated(MUCH_LATER), dated(EIGHT), dated(LATER)],
        [dated(EIGHT), dated(MUCH_LATER), dated(LATER)],
        [dated("yesterday"), dated(EIGHT), dated(LATER)],
    ],
    ids=["two agree", "502", "429", "first is off", "second is off", "unreadable"],
)
def test_the_time_is_that_of_the_first_good_answer_that_another_agrees_with(
    server: ScriptedServer, answers: list[Reply]
) -> None:
    server.script("GET", "/connectors", *answers)
    api = connect(server)

    while len(server.requests) < len(answers):
        assert api.server_now is None
        api.connector()

    assert api.server_now is not None
    # What has passed since an answer that was off is taken from the next one.
    assert abs(api.server_now - datetime(2024, 5, 6, 8, tzinfo=timezone.utc)) < timedelta(seconds=9)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 May 2024 08:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_an_unreadable_date_is_no_date(server: ScriptedServer, date: str) -> None:
    server.script("GET", "/connectors", dated(date))
    api = connect(server)

    api.connector()
    api.connector()

    assert api.server_now is None


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


@pytest.mark.parametrize("text", ["0", "0.0", "9" * 400, "Mon, 06 May 2024 07:59:59 GMT"])
def test_a_wait_of_nothing_is_none(text: str) -> None:
    assert read_retry_after(text, datetime(2024, 5, 6, 8, tzinfo=timezone.utc)) is None


def test_too_long_a_wait_ends_at_once_and_is_told(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", Reply(429, headers={"Retry-After": "86400"}))

    with pytest.raises(RateLimited, match="86,400 s, longer than max_wait_seconds"):
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
