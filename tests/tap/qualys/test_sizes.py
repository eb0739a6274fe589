"""Answers, rows and texts of any size: cut, asked for in smaller parts, or refused in words."""

from __future__ import annotations

import gzip
from typing import Final

import pytest

from tap_qualyswas import errors
from tap_qualyswas.qualys.auth import NoAuth
from tap_qualyswas.qualys.transport import (
    MAX_PAGE_BYTES,
    MAX_REPORT_BYTES,
    Call,
    Transport,
)
from tests.support.dripping import DrippingServer
from tests.tap.scripted import (
    FINDINGS,
    KB,
    SEARCH,
    Answer,
    ScriptedServer,
    finding,
    page,
    scan,
    webapp,
)
from tests.tap.syncs import sync_here

ONE_TYPE: Final = {"finding_types": ["VULNERABILITY"]}
LONG: Final = "x" * 9_000_000
ENTRY: Final = (
    "<KNOWLEDGE_BASE_VULN_LIST_OUTPUT><RESPONSE><VULN_LIST><VULN><QID>150001</QID>"
    f"<TITLE>t</TITLE><DIAGNOSIS>{LONG}</DIAGNOSIS></VULN></VULN_LIST></RESPONSE>"
    "</KNOWLEDGE_BASE_VULN_LIST_OUTPUT>"
)


@pytest.mark.parametrize(
    ("stream", "field", "scripts"),
    [
        ("findings", "name", {FINDINGS: page(finding(1, name=LONG))}),
        ("webapps", "os", {f"{SEARCH}webapp": page(webapp(1, os=LONG))}),
        ("scans", "name", {f"{SEARCH}wasscan": page(scan(1, name=LONG))}),
        ("knowledge_base", "diagnosis", {FINDINGS: page(finding(1)), KB: ENTRY}),
    ],
)
def test_a_text_of_many_megabytes_is_cut_and_told(
    stream: str, field: str, scripts: dict[str, str]
) -> None:
    answers = {path: [Answer(body)] for path, body in scripts.items()}
    with ScriptedServer(answers) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    (row,) = outcome.records(stream)
    assert 1000 < len(row[field]) < 150_000
    assert f"{stream}: cut texts that were too long: " in outcome.log


def test_a_page_beyond_all_measure_is_asked_for_in_smaller_ones() -> None:
    rows = [finding(1), finding(2)]
    blanks = " " * (MAX_PAGE_BYTES + 1)
    bloated = gzip.compress(page(*rows).replace("<data>", f"{blanks}<data>").encode(), 1)
    answers = [Answer(bloated, headers={"Content-Encoding": "gzip"}), Answer(page(*rows))]
    with ScriptedServer({FINDINGS: answers}) as server:
        outcome = sync_here({**server.config, **ONE_TYPE, "page_size": 40})

    assert [row["id"] for row in outcome.records("findings")] == [1, 2]
    first, second, *_ = server.asked_at(FINDINGS)
    assert "<limitResults>40</limitResults>" in first.body
    assert "<limitResults>20</limitResults>" in second.body


def transport_to(
    url: str, *, timeout_seconds: float = 10, max_report_bytes: int = MAX_REPORT_BYTES
) -> Transport:
    return Transport(
        url,
        "a test",
        auth=NoAuth(),
        ca_bundle=None,
        timeout_seconds=timeout_seconds,
        connections=1,
        user_agent="test",
        max_report_bytes=max_report_bytes,
    )


@pytest.mark.parametrize(("limit", "fits"), [(100_000, True), (99_999, False)])
def test_a_report_beyond_its_limit_is_refused_by_that_number(limit: int, fits: bool) -> None:
    report = gzip.compress(b"x" * 100_000)
    answer = Answer(report, headers={"Content-Encoding": "gzip"})
    with ScriptedServer(always={"/report": answer}) as server:
        transport = transport_to(server.url, max_report_bytes=limit)
        if fits:
            _, source = transport.download(Call("/report"))
            assert len(source.read()) == 0, "it stands at its end"
            source.seek(0)
            assert len(source.read()) == 100_000
            source.close()
        else:
            with pytest.raises(errors.ReportTooLarge, match="more than 99,999 bytes"):
                transport.download(Call("/report"))


def test_a_call_that_is_kept_alive_and_never_answered_is_given_up() -> None:
    """Qualys puts comments into the answer of a long call; so it may be one that hangs."""
    with DrippingServer("in chunks") as server:
        transport = transport_to(server.url, timeout_seconds=0.3)
        # A busy machine may also be silent for too long.
        with pytest.raises(errors.TimedOut, match=r"kept a call open for 1 s|within"):
            transport.send(Call("/page"))


LONG_LINE: Final = r"RECORD line of webapps \(id 1\) would take .* its longest property, tags, in"


def test_a_line_that_no_target_would_take_is_not_written() -> None:
    tags = "".join(
        f"<Tag><id>{n}</id><name>A tag with the number {n}</name></Tag>" for n in range(200_000)
    )
    row = webapp(1, tags=f"<count>200000</count><list>{tags}</list>")
    with (
        ScriptedServer({f"{SEARCH}webapp": [Answer(page(row))]}) as server,
        pytest.raises(errors.LineTooLong, match=LONG_LINE) as raised,
    ):
        sync_here(server.config)

    assert raised.value.exit_code == 1
    assert raised.value.outcome.records("webapps") == []  # type: ignore[attr-defined] # sync_here
