"""`--audit` names exactly what CVM holds otherwise than the ledger says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest

from target_ciscovm.audit.document import schema
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.kdi.types import DataModel
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, Tenant
from tests.support.json_schemas import in_order, shipped
from tests.target.audit import hands
from tests.target.audit.looks import audit
from tests.target.streams import Sync, finding, fixed, identifier, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

BOTH: Final[tuple[DataModel, ...]] = get_args(DataModel)
FIVE: Final = Sync([webapp()], [finding(number) for number in range(1, 6)])
WITHOUT_FIRST: Final = Sync([webapp()], FIVE.findings[1:])
ELSEWHERE: Final = "https://app1.example.test/elsewhere"
PAGE: Final = "https://app1.example.test/page1"

Plant = Callable[[Tenant, DataModel], object]
DRIFTS: Final[dict[str, tuple[Plant, int]]] = {
    "closed in CVM": (lambda tenant, _: hands.close(tenant, identifier(2)), 2),
    "not in CVM": (lambda tenant, _: hands.delete(tenant, identifier(3)), 3),
    "at another asset": (lambda tenant, _: hands.readdress(tenant, identifier(4), ELSEWHERE), 4),
    "not in the ledger": (
        lambda tenant, model: hands.load(tenant, CONNECTOR_ID, ELSEWHERE, identifier(9), model),
        9,
    ),
    "closed in the ledger": (
        lambda tenant, model: hands.load(tenant, CONNECTOR_ID, PAGE, identifier(1), model),
        1,
    ),
}
"""What is done in a tenant by hand, by the kind of the difference, with the finding's number."""


@pytest.mark.parametrize("model", BOTH)
def test_they_agree_after_a_load(model: str, cvm: CVM) -> None:
    cvm.begin(FIVE, data_model=model)

    looked = audit(cvm, data_model=model)

    assert (looked.exit_code, looked.drift) == (0, set())
    assert looked.message == "CVM holds exactly these 5."
    assert "CVM and the ledger agree" in looked.page


@pytest.mark.parametrize("kind", DRIFTS)
def test_each_drift_is_named_exactly(kind: str, cvm: CVM) -> None:
    plant, number = DRIFTS[kind]
    cvm.begin(FIVE)
    if kind == "closed in the ledger":
        cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))
    plant(cvm.tenant, "vulnerabilities")

    looked = audit(cvm)

    assert (looked.exit_code, looked.drift) == (1, {(kind, identifier(number))})
    assert identifier(number) in looked.page


def test_an_identifier_that_has_changed_is_named_before_and_after(cvm: CVM) -> None:
    cvm.begin(FIVE)
    hands.rename(cvm.tenant, identifier(2), identifier(9))
    hands.rename(cvm.tenant, identifier(3), "of another form")

    looked = audit(cvm)

    assert looked.drift == {
        ("not in CVM", identifier(2)),
        ("not in the ledger", identifier(9)),
        ("not in CVM", identifier(3)),
    }
    assert looked.foreign == ["of another form"]


@pytest.mark.parametrize(("model", "word"), [(BOTH[0], "closed"), (BOTH[1], "duplicate")])
def test_all_of_them_at_once_are_told_in_words(model: DataModel, word: Any, cvm: CVM) -> None:  # noqa: ANN401
    cvm.begin(FIVE, data_model=model)
    cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"), data_model=model)
    for plant, _ in DRIFTS.values():
        plant(cvm.tenant, model)
    people = cvm.tenant.people
    judge = people.judge if model == "vulnerabilities" else people.triage
    judge(identifier(5), word)

    looked = audit(cvm, data_model=model)

    assert looked.drift == {
        *((kind, identifier(number)) for kind, (_, number) in DRIFTS.items()),
        ("closed by people", identifier(5)),
    }
    assert looked.message == (
        "CVM lacks 4 findings that this connector sent (closed by people 1, closed in CVM 1, "
        "not in CVM 1, at another asset 1); CVM has 1 open that Qualys no longer reports; "
        "CVM has 1 open that the ledger does not know."
    )


@pytest.mark.parametrize("word", ["closed", "false_positive", "risk_accepted"])
def test_what_people_have_closed_is_listed_and_no_difference(word: str, cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.tenant.people.judge(identifier(2), word)  # type: ignore[arg-type] # one of its words

    looked = audit(cvm)

    assert looked.exit_code == 0
    assert looked.drift == {("closed by people", identifier(2))}
    assert looked.message == (
        "CVM holds exactly these 5; CVM lacks 1 finding that this connector sent (closed by "
        "people 1)."
    )
    with_people = cvm.load(FIVE)
    assert with_people.report["closing"]["open_before"] == 5
    (judged,) = (one for one in cvm.held() if one.scanner_identifier == identifier(2))
    # A scanner that sees it again opens what people have closed as gone: CVM's own rule.
    assert judged.manual == (None if word == "closed" else word)


def test_entries_of_another_form_are_counted_and_left_alone(cvm: CVM) -> None:
    cvm.begin(FIVE)
    hands.load(cvm.tenant, CONNECTOR_ID, ELSEWHERE, "somebody-elses")

    looked = audit(cvm)

    assert (looked.exit_code, looked.foreign) == (0, ["somebody-elses"])
    cvm.load(FIVE)
    assert "somebody-elses" in cvm.open()


def test_the_next_full_load_mends_what_differs(cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))
    for plant, _ in DRIFTS.values():
        plant(cvm.tenant, "vulnerabilities")
    assert audit(cvm).exit_code == 1

    mended = cvm.load(Sync([webapp()], [finding(number) for number in range(2, 6)]))

    assert mended.outcome == "succeeded"
    assert cvm.open() == names(2, 3, 4, 5)
    assert [one.is_open for one in cvm.held()].count(True) == 4
    assert (audit(cvm).exit_code, audit(cvm).drift) == (0, set())


def test_what_differs_is_asked_again_twice(cvm: CVM) -> None:
    cvm.begin(FIVE)
    asked = cvm.requests.copy()
    audit(cvm)
    once = cvm.requests - asked
    hands.close(cvm.tenant, identifier(1))
    asked = cvm.requests.copy()

    audit(cvm)

    calls = cvm.requests - asked
    assert [calls[name] for name in once if "search" in name or "export" in name] == [
        3 * count for name, count in once.items() if "search" in name or "export" in name
    ]
    assert RetryPolicy().show_seconds == (60, 300)


def test_without_a_ledger_it_is_refused(cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.ledger.unlink()

    looked = audit(cvm)

    assert looked.exit_code == 2
    assert "rebuild-ledger" in looked.message
    assert not cvm.ledger.exists()


def test_a_key_that_may_not_read_is_told_and_changes_nothing(cvm: CVM) -> None:
    cvm.begin(FIVE)
    ledger = cvm.ledger.read_bytes()
    for fault in ("export-refused", "search-refused"):
        cvm.faults.arm(fault)

    looked = audit(cvm)

    assert looked.exit_code == 1
    assert "403" in looked.message
    assert cvm.ledger.read_bytes() == ledger


def test_the_schema_that_is_shipped_is_that_of_the_code() -> None:
    # To write it anew: python -m target_ciscovm.audit.document > target_ciscovm/schemas/audit.json
    assert in_order(schema()) == in_order(shipped("audit"))
