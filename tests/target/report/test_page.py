from __future__ import annotations

import base64
import hashlib
import re
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from lxml import html

from target_ciscovm.report.changes import NONE
from target_ciscovm.report.model import Report, SeverityCount
from target_ciscovm.report.page import OUTCOMES, environment, render
from tests.target.report.reports import MARKUP, REPORTS, changes, hostile, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_ciscovm.report.changes import Written


def page(report: Report, listed: Written = NONE) -> html.HtmlElement:
    return html.document_fromstring(render(report, listed).encode())


def text_of(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_opens_offline_and_runs_nothing(name: str) -> None:
    document = page(REPORTS[name]())

    forbidden = "//script | //link | //img | //iframe | //object | //form | //base"
    assert document.xpath(forbidden) == []
    assert document.xpath("//@src | //@onclick | //@onerror | //@onload") == []
    # Links lead to files beside the page, and to the list of runs above it.
    assert all(
        re.fullmatch(r"[\w-]+\.\w+|\.\./index\.html", target)
        for target in document.xpath("//@href")
    )
    assert "url(" not in document.xpath("string(//style)")
    policy = document.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_can_be_read_without_seeing_it(name: str) -> None:
    document = page(REPORTS[name]())

    assert document.get("lang") == "en"
    assert len(document.xpath("//h1")) == 1
    assert len(document.xpath("//main")) == 1
    for picture in document.xpath("//svg"):
        assert picture.get("role") == "img"
        assert ";" in picture.get("aria-label") or ":" in picture.get("aria-label")
    for table in document.xpath("//table"):
        assert text_of(table.xpath("caption")[0])
        assert table.xpath("thead//th[not(@scope='col')] | tbody//th[not(@scope='row')]") == []
    ids = document.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(document.xpath("//@aria-labelledby")) <= set(ids)


def test_every_text_is_shown_as_text() -> None:
    document = page(hostile())

    assert document.xpath("//*[@onerror]") == []
    shown = text_of(document)
    assert shown.count("<script>alert('MARKUP')</script>") > 20
    assert "{{ 7*7 }}" in shown
    assert not set("\x00\x1b\u202e") & set(render(hostile()))


def test_the_only_script_is_the_one_that_the_policy_names() -> None:
    document = page(hostile(), changes(MARKUP))

    (script,) = document.xpath("//script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    policy = document.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert document.xpath("//img | //*[@onerror]") == []
    assert text_of(document.get_element_by_id("first-changes")).count("MARKUP") == 800


def test_the_first_changes_stand_without_the_script() -> None:
    document = page(succeeded(), changes())

    table = document.get_element_by_id("first-changes")
    assert text_of(table.xpath("tbody/tr")[1]) == (
        "open new Shop 1 https://shop.example.test/1 150001 Injection 5"
    )
    assert len(table.xpath("tbody/tr[not(@hidden)]")) == 200
    assert "1,234 changes, the first 200 here; all of them are in changes.csv" in text_of(document)
    assert document.xpath("boolean(//input/ancestor::*[@hidden])")


def test_each_web_application_has_a_row() -> None:
    shown = text_of(page(succeeded()).xpath("//section[@aria-labelledby='webapps']")[0])

    for text in (
        "those with the most changes; 310 more are left out",
        "Store 17 9 3 0 0 yes 2024-05-06 07:40:00 UTC",
        "Old shop 900001 14 0 0 0 no: deleted web app never",
    ):
        assert text in shown, text


def test_a_template_is_compiled_once_where_its_byte_code_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = render(succeeded())
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def kept(folder: Path) -> dict[Path, int]:
        monkeypatch.setattr(sys, "pycache_prefix", str(folder))
        environment.cache_clear()
        assert render(succeeded()) == expected
        return {path: path.stat().st_ino for path in tmp_path.rglob("*.pyc")}

    first = kept(tmp_path)
    assert first
    assert kept(tmp_path) == first
    for damage in (cut_short, altered):
        for path in first:
            path.write_bytes(damage(path.read_bytes()))
        again = kept(tmp_path)
        assert again.keys() == first.keys()
        assert again.items().isdisjoint(first.items())
        first = again
    assert kept(next(iter(first))).keys() == first.keys()  # no folder, so nothing is kept there
    environment.cache_clear()


def cut_short(code: bytes) -> bytes:
    """Give what a full disk has left of a file."""
    return code[:20]


def altered(code: bytes) -> bytes:
    """Give a file that a disk has kept with one bit wrong."""
    return code[:40] + bytes([code[40] ^ 0x80]) + code[41:]


def test_a_person_finds_the_numbers() -> None:
    document = page(succeeded())

    assert "Succeeded" in text_of(document.xpath("//h1")[0])
    rows = {text_of(row.xpath("th")[0]): row for row in document.xpath("//tbody/tr")}
    for label, value in {
        "Qualys counts": "48,311",
        "\N{MINUS SIGN} filtered": "1,200",
        "\N{MINUS SIGN} rejected": "3",
        "\N{MINUS SIGN} superseded": "10",
        "\N{MINUS SIGN} nothing to do": "2,000",
        "= mapped": "45,098",
        "+ closings": "22",
        "+ fixed elsewhere": "1",
        "= in files": "45,121",
        "Processed": "45,121",
        "Failed": "0",
        "Created": "120",
        "Closed": "53",
        "Reopened": "2",
        "min_severity": "1,000",
        "Old shop": "900001",
    }.items():
        assert text_of(rows[label].xpath("td")[0]) == value, label
    assert text_of(rows["min_severity"].xpath("td")[-1]) == "12"
    labels = " ".join(document.xpath("//svg/@aria-label"))
    assert "5 · Urgent 1,036 open, 1 closed" in labels
    assert "fixed in Qualys 31" in labels
    assert "closings 22" in labels


def reckoned(document: html.HtmlElement) -> dict[str, int]:
    """Reckon the table of the way by its own signs, and give what stands behind each sum."""
    found: dict[str, int] = {}
    total = 0
    (table,) = (
        one
        for one in document.xpath("//table")
        if text_of(one.xpath("caption")[0]) == "The same in numbers"
    )
    for row in table.xpath("tbody/tr"):
        label, text = text_of(row.xpath("th")[0]), text_of(row.xpath("td")[0])
        if not text[0].isdigit():
            continue
        number = int(text.replace(",", ""))
        if label[0] == "=":
            found[label[2:]] = number - total
        total = {"\N{MINUS SIGN}": total - number, "+": total + number}.get(label[0], number)
    return found


@pytest.mark.parametrize("name", ["succeeded", "unproven", "failed", "dry_run", "lossy", "stopped"])
def test_a_person_can_reckon_it_from_top_to_bottom(name: str) -> None:
    found = reckoned(page(REPORTS[name]()))

    assert found == {"received": 0, "mapped": 0, "in files": 0}


def test_it_says_what_the_load_covers_and_what_stays_open_and_why() -> None:
    shown = text_of(page(succeeded()).xpath("//section[@aria-labelledby='proof']")[0])

    for text in (
        "312 web applications, the whole account",
        "information gathered, sensitive content, vulnerabilities",
        "46,900 of 47,000",
        "deleted web app 14 close_deleted_webapps: true closes it",
        "Store 17 Shop",
    ):
        assert text in shown, text


def test_it_says_what_cvm_lacks_and_which_web_applications_no_sync_covers() -> None:
    assert "CVM lacks what came before this load" in text_of(page(REPORTS["lossy"]()))
    assert "Old intranet" in text_of(page(REPORTS["unproven"]()))
    assert "CVM lacks" not in text_of(page(succeeded()))


@pytest.mark.parametrize("name", REPORTS)
def test_it_says_what_paper_leaves_out(name: str) -> None:
    document = page(REPORTS[name](), changes())

    (told,) = document.xpath("//footer/p[@class='paper']")
    left_out = document.xpath("//section[@class='screen']/h2")
    assert left_out
    assert [one for one in map(text_of, left_out) if f"“{one}”" not in text_of(told)] == []
    whole = document.xpath("//table[@class='keep']")
    assert whole == document.xpath("//table")[: len(whole)]


def test_it_links_to_the_files_beside_it() -> None:
    targets = page(succeeded()).xpath("//a/@href")

    assert targets == [
        "kdi-0001.json",
        "kdi-0002.json",
        "changes.csv",
        "changes.jsonl",
        "rejected.jsonl",
        "report.json",
        "report.json",
        "../index.html",
    ]


def test_a_failure_says_once_what_to_do() -> None:
    report = REPORTS["refused"]()
    report.message = "CVM does not accept the API key (HTTP 401). Check api_key."

    document = page(report)

    (message,) = document.xpath("//p[@class='message']")
    assert text_of(message) == "CVM does not accept the API key (HTTP 401)."
    (step,) = document.xpath("//p[@class='next']/bdi")
    assert text_of(step) == "Check api_key."


def test_the_next_step_is_a_command_that_can_be_copied() -> None:
    (command,) = page(REPORTS["stopped"]()).xpath("//p[@class='next']/code")

    assert text_of(command) == REPORTS["stopped"]().next_command


@pytest.mark.parametrize("name", ["dry_run", "stopped"])
def test_a_load_that_was_not_run_says_what_it_would_do(name: str) -> None:
    shown = text_of(page(REPORTS[name]()))

    for text in (
        "120 would be opened",
        "53 would be closed",
        "What would be closed, and why",
        "What it covers and lacks would be closed as gone",
        "What would stay open as it is",
    ):
        assert text in shown, text
    assert "in CVM, and why" not in shown
    assert "created in CVM" not in shown


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_words_and_a_next_step(outcome: str) -> None:
    report = REPORTS["empty"]()
    report.outcome = outcome  # type: ignore[assignment]
    document = page(report)

    assert OUTCOMES[report.outcome][2] in text_of(document.xpath("//h1")[0])
    assert len(text_of(document.xpath("//p[@class='next']")[0])) > len("What to do next ")
    assert document.xpath("//header/@class") == [OUTCOMES[report.outcome][0]]


def test_a_run_that_failed_before_sending_does_not_claim_to_have_closed() -> None:
    shown = text_of(page(REPORTS["failed"]()))

    assert "What would be closed, and why" in shown
    assert "not reached" in shown
    assert "created in CVM" not in shown


def test_nothing_received_is_said_and_not_drawn() -> None:
    document = page(REPORTS["empty"]())

    assert "No findings were received." in text_of(document)
    assert document.xpath("//svg") == []


def test_all_severities_are_drawn_from_worst_to_least() -> None:
    report = succeeded()
    report.severities = [SeverityCount(severity=n, open=n) for n in (3, 1, 5)]

    label = page(report).xpath("//svg[contains(@aria-label, 'by severity')]/@aria-label")[0]

    assert re.findall(r"(\d) ·", label) == ["5", "3", "1"]


def colours(block: str) -> dict[str, tuple[float, float, float]]:
    found = re.findall(r"--(\w+): #([0-9a-f]{6})", block)
    return {
        name: tuple(int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))  # type: ignore[misc]
        for name, code in found
    }


def luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def themes() -> Iterator[dict[str, tuple[float, float, float]]]:
    style = (files("target_ciscovm") / "templates" / "report.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    yield colours(light)
    yield colours(light) | colours(dark)


@pytest.mark.parametrize("theme", list(themes()), ids=["light", "dark"])
def test_texts_and_pictures_stand_out_from_their_ground(
    theme: dict[str, tuple[float, float, float]],
) -> None:
    # WCAG 2.2: 4.5 for texts (1.4.3), 3 for what pictures are made of (1.4.11).
    for ground in ("page", "card"):
        for name in ("ink", "soft", "good", "fair", "bad"):
            assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
    others = set(theme) - {"page", "card", "ink", "soft", "line", "track"}
    for name in others - {"closed"}:
        assert contrast(theme[name], theme["card"]) >= 3, name
    assert contrast(theme["closed"], theme["card"]) >= 2.5
