"""A notice of each end that matters, over HTTP on loopback; its failures fail no run."""

from __future__ import annotations

import io
import logging
import signal
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from qualyswas_ciscovm.endings import Ending
from qualyswas_ciscovm.errors import Interrupted
from target_ciscovm.watching import notices
from target_ciscovm.watching.notices import announcing
from tests.sandbox.ciscovm.tenant.tenant import API_KEY
from tests.support.listener import Listener
from tests.target.audit import hands
from tests.target.audit.looks import audit
from tests.target.loads import QuickTarget, own_signals
from tests.target.streams import Sync, finding, identifier, webapp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target.loads import CVM

TWO = Sync([webapp()], [finding(1), finding(2)])


@pytest.fixture(autouse=True)
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "PAUSE", 0.01)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as made:
        yield made


def given(config: dict[str, Any]) -> SimpleNamespace:
    """Give a config as the command line hands it on."""
    return SimpleNamespace(config=config, parse_env=False)


def test_where_no_thread_can_be_started_the_load_ends_as_it_would(
    cvm: CVM, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    usual = threading.stack_size(1 << 45)  # more than any system gives
    try:
        loaded = cvm.load(TWO, notify_url=listener.hook, notify_when="every_run")
    finally:
        threading.stack_size(usual)

    assert (loaded.outcome, loaded.exit_code, listener.posted) == ("succeeded", 0, [])
    assert "was not delivered: this system allows no more threads" in caplog.text


def test_an_end_that_is_not_succeeded_is_announced(cvm: CVM, listener: Listener) -> None:
    well = cvm.load(TWO, notify_url=listener.hook)
    failed = cvm.load(b"{}\nnot JSON\n", notify_url=listener.hook)

    assert (well.outcome, failed.outcome) == ("succeeded", "failed")
    (notice,) = listener.posted
    assert notice["text"].startswith("target-ciscovm")
    assert failed.message.partition(". ")[0] in notice["text"]
    assert {name: notice[name] for name in ("outcome", "exit_code", "run_id")} == {
        "outcome": "failed",
        "exit_code": 1,
        "run_id": failed.report["run_id"],
    }
    assert notice["report"].endswith(f"{failed.report['run_id']}/report.html")
    assert listener.headers["Content-Type"] == "application/json"


def test_each_end_is_announced_where_that_is_wanted(cvm: CVM, listener: Listener) -> None:
    loaded = cvm.load(TWO, notify_url=listener.hook, notify_when="every_run")

    (notice,) = listener.posted
    assert notice["outcome"] == "succeeded"
    assert notice["connector"]["id"] == loaded.report["connector"]["id"]
    assert (notice["changes"]["opened"], notice["open_findings"]) == (2, 2)


def test_an_audit_that_differs_is_announced(cvm: CVM, listener: Listener) -> None:
    cvm.begin(TWO)
    agreed = audit(cvm, notify_url=listener.hook)
    hands.close(cvm.tenant, identifier(2))
    differed = audit(cvm, notify_url=listener.hook)

    assert (agreed.exit_code, differed.exit_code) == (0, 1)
    (notice,) = listener.posted
    assert notice["text"].startswith("target-ciscovm audit, connector ")
    assert ": differs. CVM lacks 1 finding that this connector sent" in notice["text"]
    assert {name: notice[name] for name in ("command", "outcome", "exit_code", "run_id")} == {
        "command": "audit",
        "outcome": "differs",
        "exit_code": 1,
        "run_id": differed.document["run_id"],
    }
    assert notice["report"].endswith(f"{differed.document['run_id']}/audit.html")


def test_an_audit_that_agrees_is_announced_where_that_is_wanted(
    cvm: CVM, listener: Listener
) -> None:
    cvm.begin(TWO)

    audit(cvm, notify_url=listener.hook, notify_when="every_run")

    (notice,) = listener.posted
    assert (notice["command"], notice["outcome"]) == ("audit", "agrees")
    assert notice["message"] == "CVM holds exactly these 2."


def test_an_audit_that_cannot_be_made_is_announced(cvm: CVM, listener: Listener) -> None:
    with own_signals(), pytest.raises(Ending):
        QuickTarget.invoke(config=given(cvm.config(notify_url=listener.hook)), audit=True)

    (notice,) = listener.posted
    assert (notice["command"], notice["outcome"], notice["exit_code"]) == ("audit", "refused", 2)
    assert notice["text"].startswith("target-ciscovm audit: refused. There is no ledger at ")


def test_an_audit_that_is_stopped_is_announced(listener: Listener) -> None:
    with pytest.raises(Interrupted), announcing({"notify_url": listener.hook}, "audit"):
        raise Interrupted(signal.SIGTERM)

    (notice,) = listener.posted
    assert (notice["command"], notice["outcome"], notice["exit_code"]) == (
        "audit",
        "interrupted",
        143,
    )


@pytest.mark.parametrize("statuses", [[404, 404], [302, 302], [500, 500]])
def test_a_notice_that_is_refused_is_a_warning(
    statuses: list[int], cvm: CVM, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.statuses = [*statuses]

    loaded = cvm.load(TWO, notify_url=listener.hook, notify_when="every_run")

    assert (loaded.exit_code, loaded.outcome, len(loaded.states)) == (0, "succeeded", 1)
    assert len(listener.posted) == 2  # tried again once
    assert f"was not delivered: it answered HTTP {statuses[0]}" in caplog.text
    assert "WEBHOOKSECRET" not in caplog.text


def test_a_notice_arrives_at_the_second_attempt(cvm: CVM, listener: Listener) -> None:
    listener.statuses = [503]

    cvm.load(TWO, notify_url=listener.hook, notify_when="every_run")

    assert len(listener.posted) == 2


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9/WEBHOOKSECRET", "it cannot be reached"),
        ("https://127.0.0.1:9/WEBHOOKSECRET", "it cannot be reached"),
    ],
)
def test_a_notice_to_nobody_is_a_warning(
    url: str, why: str, cvm: CVM, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = cvm.load(TWO, notify_url=url, notify_when="every_run")

    assert loaded.exit_code == 0
    assert f"The notice to 127.0.0.1:9 was not delivered: {why}." in caplog.text
    assert "WEBHOOKSECRET" not in caplog.text


def test_a_listener_that_never_answers_holds_nobody_up(
    cvm: CVM,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener.seconds = 1
    monkeypatch.setattr(notices, "PATIENCE", 0.2)

    loaded = cvm.load(TWO, notify_url=listener.hook, notify_when="every_run")

    assert loaded.exit_code == 0
    assert "was not delivered: it did not answer within" in caplog.text


def test_a_notice_holds_no_secret_and_calls_no_channel(cvm: CVM, listener: Listener) -> None:
    cvm.tenant.state.connectors[cvm.login["connector_id"]].name = "<!channel> & co"

    cvm.load(TWO, notify_url=listener.hook, notify_when="every_run")

    (notice,) = listener.posted
    assert "(&lt;!channel&gt; &amp; co)" in notice["text"]
    assert API_KEY not in str(notice)
    assert "WEBHOOKSECRET" not in str(notice)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"poll_seconds": "soon"}, "poll_seconds must be a whole number"),
        ({"skip_tags": True, "reset_tags": True}, "skip_tags and reset_tags contradict"),
    ],
)
def test_wrong_settings_are_announced_though_no_run_begins(
    wrong: dict[str, object], said: str, cvm: CVM, listener: Listener
) -> None:
    config = given(cvm.config(notify_url=listener.hook, **wrong))

    with own_signals(), pytest.raises(Ending):
        QuickTarget.invoke(config=config, file_input=io.BytesIO(b""))  # type: ignore[arg-type]

    (notice,) = listener.posted
    assert (notice["outcome"], notice["exit_code"]) == ("refused", 2)
    assert said in notice["text"]


def test_an_error_that_nobody_foresaw_is_announced_by_its_kind(listener: Listener) -> None:
    def fail() -> None:
        msg = "a secret"
        raise TypeError(msg)

    with pytest.raises(TypeError), announcing({"notify_url": listener.hook}):
        fail()

    (notice,) = listener.posted
    assert "TypeError" in notice["text"]
    assert "a secret" not in str(notice)


@pytest.mark.parametrize(
    "url", ["http://hooks.example.test/WEBHOOKSECRET", "hooks.example.test", "https://a b/", "x:y"]
)
def test_an_address_that_cannot_be_used_is_refused_and_not_shown(
    url: str, cvm: CVM, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    loaded = cvm.load(TWO, notify_url=url)

    assert loaded.exit_code == 2
    assert loaded.message.startswith("notify_url ")
    assert url not in loaded.message + caplog.text
    assert not (tmp_path / "output").exists()
