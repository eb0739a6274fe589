"""Each case says what it is about, names made-up hosts only, and is held by a test."""

from __future__ import annotations

import re

import pytest

from tests.cases.case import FOLDER, names, read

LOGIN, PORT = r"(\w+:\w+@)?", r"(:\d+)?"
MADE_UP = re.compile(
    rf"{LOGIN}(\w[\w.-]*\.)?example\.test\.?{PORT}|127\.0\.0\.1|\[fe80::1(%25[\w-]+)?\]"
)
TESTS = "".join(path.read_text("utf-8") for path in FOLDER.glob("test_*.py"))


@pytest.mark.parametrize("name", names())
def test_a_case_says_what_happened_and_what_is_right(name: str) -> None:
    case = read(name)

    assert case.happened.strip().endswith(".")
    assert case.right.strip().endswith(".")


@pytest.mark.parametrize("name", names())
def test_a_case_is_held_by_an_expectation_of_its_own_or_by_a_test(name: str) -> None:
    case = read(name)
    by_itself = not (case.findings or case.inputs or case.replies or case.values)

    assert (case.conversations and by_itself) or f'"{name}"' in TESTS


@pytest.mark.parametrize("name", names())
def test_a_case_names_made_up_hosts_only(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")

    hosts = re.findall(r"https?://([^/\s\"',]+)", text, re.IGNORECASE)
    assert [host for host in hosts if not MADE_UP.fullmatch(host.lower())] == []
