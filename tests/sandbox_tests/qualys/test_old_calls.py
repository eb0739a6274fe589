"""The sandbox's Qualys answers the calls of other public clients: tags, sessions, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import requests
from lxml import etree

from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.qualys.asking import Answer, Asker, basic, body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox_tests.qualys.asking import Criterion

KNOWN: Final = "/api/2.0/fo/knowledge_base/vuln/?action=list&ids=6"
SESSION: Final = "/api/2.0/fo/session/"
REQUESTED_WITH: Final = {"X-Requested-With": "tests"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(apps=12, findings=60, scans=6) as made:
        yield made


class TagAsker(Asker):
    """Asks for tags."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.base = f"{sandbox.qualys_url}/qps/rest/2.0"

    def tags(self, *criteria: Criterion, **preferences: object) -> Answer:
        return self.post("search/am/tag", body(criteria, preferences))


def test_the_status_of_a_scan_alone(sandbox: Sandbox) -> None:
    scan = sandbox.world.scans[0]
    answer = Asker(sandbox).get(f"status/was/wasscan/{scan.id}")
    (row,) = answer.rows
    assert [child.tag for child in row] == ["id", "status", "summary"]
    assert answer.values("summary/resultsStatus") == ["SUCCESSFUL"]
    assert Asker(sandbox).get("status/was/wasscan/1").code == "NOT_FOUND"
    assert Asker(sandbox).get("status/was/webapp/1").code == "OPERATION_NOT_SUPPORTED"


def test_tags_are_counted_and_paged(sandbox: Sandbox) -> None:
    asker, tags = TagAsker(sandbox), sandbox.world.tags
    assert asker.get("count/am/tag").count == len(tags)
    first = asker.tags(limitResults=3)
    assert first.text("hasMoreRecords") == "true"
    rest = asker.tags(("id", "GREATER", first.text("lastId") or ""))
    assert first.ids + rest.ids == [tag.id for tag in tags]


def test_tags_make_a_tree(sandbox: Sandbox) -> None:
    answer = TagAsker(sandbox).tags()
    parents = dict(zip(answer.ids, answer.values("parentTagId"), strict=True))
    assert None in parents.values()
    assert {int(one) for one in parents.values() if one} <= parents.keys()
    for row in answer.rows:
        children = row.findall("children/list/TagSimple")
        for child in children:
            assert parents[int(child.findtext("id") or 0)] == row.findtext("id")
        assert bool(children) == (row.findtext("id") in parents.values())


@pytest.mark.parametrize("path", ["3.0/count/am/tag", "2.0/count/was/webapp"])
def test_other_versions_are_not_there(sandbox: Sandbox, path: str) -> None:
    headers = Asker(sandbox).headers
    answer = requests.get(f"{sandbox.qualys_url}/qps/rest/{path}", headers=headers, timeout=20)
    assert answer.status_code == 404


def test_other_objects_are_not_there(sandbox: Sandbox) -> None:
    assert TagAsker(sandbox).get("count/am/host").code == "INVALID_URL"


def login(sandbox: Sandbox, client: requests.Session, **form: str) -> tuple[int, str | None]:
    answer = client.post(
        sandbox.qualys_url + SESSION, data=form, headers=REQUESTED_WITH, timeout=20
    )
    return answer.status_code, etree.fromstring(answer.content).findtext("RESPONSE/TEXT")


def test_a_session_stands_for_a_login_until_it_ends(sandbox: Sandbox) -> None:
    known = {"username": sandbox.username, "password": sandbox.password}
    with requests.Session() as client:
        client.headers.update(REQUESTED_WITH)
        assert client.get(sandbox.qualys_url + KNOWN, timeout=20).status_code == 401
        assert login(sandbox, client, action="login", **known) == (200, "Logged in")
        assert client.get(sandbox.qualys_url + KNOWN, timeout=20).status_code == 200
        was = client.get(f"{sandbox.qualys_url}/qps/rest/3.0/count/was/webapp", timeout=20)
        assert "AUTH_CREDENTIALS_NEEDED" in was.text
        assert login(sandbox, client, action="logout") == (200, "Logged out")
        assert client.get(sandbox.qualys_url + KNOWN, timeout=20).status_code == 401


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"action": "login", "username": "sandbox_user", "password": "wrong"}, 401),
        ({"action": "logout"}, 401),
        ({"action": "look"}, 400),
        ({}, 400),
    ],
)
def test_other_sessions_are_refused(sandbox: Sandbox, form: dict[str, str], told: int) -> None:
    with requests.Session() as client:
        assert login(sandbox, client, **form)[0] == told


def test_the_oldest_call_tries_a_login(sandbox: Sandbox) -> None:
    url = f"{sandbox.qualys_url}/msp/about.php"
    good = requests.get(url, headers=basic(sandbox.username, sandbox.password), timeout=20)
    assert etree.fromstring(good.content).findtext("WEB-VERSION")
    assert good.headers["X-RateLimit-Limit"] == "300"
    bad = requests.get(url, headers=basic(sandbox.username, "wrong"), timeout=20)
    assert (bad.status_code, 'number="2000"' in bad.text) == (401, True)
