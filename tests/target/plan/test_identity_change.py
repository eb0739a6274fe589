"""What makes CVM take known findings for new ones, and the code that lets it through."""

from __future__ import annotations

import pytest

from target_ciscovm.mapping.locators import Identity
from target_ciscovm.plan.identity import changed, code_of, identity_text, problem

IDENTITY = Identity()
BEFORE = identity_text(IDENTITY, "vulnerabilities")


@pytest.mark.parametrize(
    ("identity", "model", "name"),
    [
        (Identity(("external_id",)), "vulnerabilities", "locator_order"),
        (Identity(tenant_order=("url",)), "vulnerabilities", "tenant_locator_order"),
        (Identity(keep_query=True), "vulnerabilities", "url_query"),
        (IDENTITY, "findings", "data_model"),
    ],
    ids=str,
)
def test_a_changed_setting_says_what_would_close_and_come_back(
    identity: Identity, model: str, name: str
) -> None:
    change = changed(BEFORE, identity_text(identity, model))

    assert list(change) == [name]
    told = problem(change, 1234)
    for word in (
        f"{name} was {BEFORE[name]}, is {change[name][1]}",
        "all 1,234 open findings",
        f"accept_identity_change to {code_of(change)}",
        "full sync",
    ):
        assert word in told


def test_several_changes_are_told_together() -> None:
    change = changed(BEFORE, identity_text(Identity(("external_id",)), "findings"))

    assert problem(change, 2).startswith("data_model and locator_order have changed (data_model ")


def test_one_open_finding_is_one() -> None:
    told = problem(changed(BEFORE, identity_text(IDENTITY, "findings")), 1)

    assert "the one open finding as new: it would close and come back without its history" in told


def test_the_same_settings_are_no_change() -> None:
    assert changed(BEFORE, dict(BEFORE)) == {}


def test_what_the_ledger_does_not_know_is_no_change() -> None:
    older = {name: value for name, value in BEFORE.items() if name != "url_query"}

    assert changed(older, BEFORE) == {}
    assert changed({}, BEFORE) == {}


def test_a_code_is_that_of_exactly_one_change() -> None:
    changes = [
        {"source": ("api", "scan_reports")},
        {"source": ("scan_reports", "api")},
        {"source": ("api", "report_files")},
        {"url_query": ("cut", "keep")},
        {"source": ("api", "scan_reports"), "url_query": ("cut", "keep")},
    ]

    codes = [code_of(change) for change in changes]

    assert len(set(codes)) == len(codes)
    assert all(len(code) == 8 and code.isalnum() for code in codes)


def test_a_code_is_the_same_in_every_run_and_any_order() -> None:
    one = {"source": ("api", "scan_reports"), "url_query": ("cut", "keep")}

    assert code_of(one) == code_of(dict(reversed(one.items())))
    assert code_of({"url_query": ("cut", "keep")}) == "c63faba4"
