"""Where nobody has answered yet, silence is given up soon: more likely the address is wrong."""

from __future__ import annotations

import socket
import time
from typing import Any, Final

import pytest

from tap_qualyswas import errors
from tap_qualyswas.qualys.retries import FIRST_CONTACT_ATTEMPTS
from tap_qualyswas.qualys.transport import QUICK
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import COUNT, SEARCH, Answer, ScriptedServer
from tests.tap.syncs import Platform, run_tap, sync_here

SILENT: Final = Answer(delay=1.5)
VERSION: Final = "/qps/rest/portal/version"
OIDC: Final = {"auth_method": "oidc", "client_id": "id-1", "client_secret": "secret-1"}
TWO_MINUTES: Final = 120


@pytest.mark.parametrize(("path", "more"), [(f"{COUNT}webapp", {}), ("/auth/oidc", OIDC)])
def test_what_never_answers_is_tried_four_times(path: str, more: dict[str, Any]) -> None:
    with (
        ScriptedServer(always={path: SILENT}) as server,
        pytest.raises(errors.TimedOut, match="Gave up after 4 attempts"),
    ):
        sync_here({**server.config, **more, "request_timeout_seconds": 1})

    assert len(server.requests) == 4


def test_a_port_where_nobody_listens_is_told_as_such() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(
            errors.Unreachable, match=r"refuses the connection\. Check region or api"
        ):
            sync_here({"api_url": address, "username": "u", "password": "p", "max_attempts": 1})


def test_what_has_answered_before_is_tried_as_often_as_is_allowed() -> None:
    with (
        ScriptedServer(always={f"{SEARCH}webapp": SILENT}) as server,
        pytest.raises(errors.TimedOut),
    ):
        sync_here(
            {**server.config, "request_timeout_seconds": 1, "max_attempts": 5, "page_size": 1}
        )

    assert len(server.asked_at(f"{SEARCH}webapp")) == 5


def test_an_answer_of_any_kind_is_not_silence() -> None:
    with Platform(WorldSize(apps=1, findings=1, scans=1), faults=["qualys-500*6"]) as platform:
        assert platform.sync_here({"max_attempts": 8}).proof["complete"] is True


def test_the_attempts_of_a_check_fit_into_two_minutes() -> None:
    waits = sum(2**attempt for attempt in range(FIRST_CONTACT_ATTEMPTS - 1))

    assert FIRST_CONTACT_ATTEMPTS * (QUICK.connect + QUICK.answer) + waits < TWO_MINUTES


@pytest.mark.long
@pytest.mark.parametrize(("path", "more"), [(VERSION, {}), ("/auth/oidc", OIDC)])
def test_a_check_of_a_silent_server_ends_within_two_minutes(
    path: str, more: dict[str, Any]
) -> None:
    with ScriptedServer(always={path: Answer(delay=60)}) as server:
        began = time.monotonic()
        outcome = run_tap({**server.config, **more}, options=["--test"])
        took = time.monotonic() - began

    assert outcome.exit_code == 1
    assert "Gave up after 4 attempts" in outcome.log
    assert took < TWO_MINUTES
