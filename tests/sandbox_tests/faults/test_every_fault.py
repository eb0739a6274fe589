"""No fault of the table is a dead name: with each one armed, the answers are other ones.

Both walks are what a client does on an ordinary day. What they are told is compared with what
they are told without a fault, with the moments taken out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.faults.kinds import KINDS
from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.model import FINDING_TYPES
from tests.sandbox_tests.loads import Caller, asset, document, vuln
from tests.sandbox_tests.qualys.asking import Asker, body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Told = tuple[object, ...]

MOMENT = re.compile(rb"\d\d:\d\d:\d\d(\.\d+)?")
HEADERS = ("evaluation", "X-Powered-By", "Retry-After", "X-RateLimit-ToWait-Sec")
STANDING = {
    "qualys-evaluation-header",
    "qualys-evaluation-comment",
    "qualys-other-account",
    "ciscovm-overage",
}
"""These do not strike now and then: as long as they are armed, they are so."""


def told(call: Callable[[], requests.Response]) -> Told:
    """Give what a call is answered, or how it breaks."""
    try:
        answer = call()
    except requests.RequestException as error:
        return (type(error).__name__,)
    headers = tuple(answer.headers.get(name) for name in HEADERS)
    return (answer.status_code, headers, MOMENT.sub(b"", answer.content))


def walk_qualys(sandbox: Sandbox) -> Iterator[Told]:
    """Ask for counts, web apps, scans, findings of each type page by page, and their entries."""
    asker = Asker(sandbox)

    def post(path: str, text: str) -> Told:
        url = f"{asker.base}/{path}"
        headers = {"Content-Type": "text/xml", **asker.headers}
        return told(lambda: requests.post(url, text, headers=headers, timeout=0.5))

    yield post("count/was/finding", "")
    yield post("search/was/webapp", "")
    yield post("search/was/wasscan", "")
    for kind in FINDING_TYPES:
        cursor = "0"
        for _ in range(20):
            criteria = ("type", "EQUALS", kind), ("id", "GREATER", cursor)
            page = post("search/was/finding", body(criteria, {"limitResults": 4}))
            yield page
            last = re.search(rb"<lastId>(\d+)</lastId>", bytes(str(page[-1]), "latin-1"))
            if last is None or last[1].decode() == cursor:
                break
            cursor = last[1].decode()
    url = f"{sandbox.qualys_url}/api/2.0/fo/knowledge_base/vuln/"
    form: Any = {"action": "list", "ids": ",".join(str(one.qid) for one in sandbox.world.qids)}
    headers = {**asker.headers, "X-Requested-With": "test"}
    yield told(lambda: requests.post(url, form, headers=headers, timeout=0.5))


def walk_ciscovm(sandbox: Sandbox) -> Iterator[Told]:
    """Look at the connector, load two files, one of them large, and read what became of it."""
    caller = Caller(sandbox)
    yield told(lambda: caller.get("/connectors"))
    yield told(lambda: caller.get(caller.connector))
    large = document(asset(vuln("large", details="x" * 150_000)))
    small = document(asset(vuln("small"), url="https://two.example.test/"))
    for load in (small, large):
        yield told(lambda load=load: caller.upload(load))  # type: ignore[misc]
    files = [file.id for file in sandbox.tenant.state.files.values()]
    yield told(lambda: caller.start(*files))
    runs = [f"/{number}" for number in sandbox.tenant.state.runs]
    for path in ("", *runs, *runs):
        yield told(lambda path=path: caller.get(f"{caller.connector}/connector_runs{path}"))  # type: ignore[misc]
    yield told(lambda: caller.get("/assets/search"))
    yield told(lambda: caller.get("/entitlements/overage"))
    yield told(lambda: caller.export("asset"))
    number = sandbox.tenant.state.last_ids.get("export", 0)
    for path in ("/data_exports/status", "/data_exports", "/data_exports"):
        yield told(lambda path=path: caller.get(path, search_id=number))  # type: ignore[misc]


WALKS = {"qualys": walk_qualys, "ciscovm": walk_ciscovm}


def transcript(place: str, *faults: str) -> tuple[list[str], Sandbox]:
    switches = Switches(rate_limit=0, run_seconds=0)
    sandbox = Sandbox(apps=4, findings=60, scans=4, faults=faults, switches=switches)
    with sandbox:
        urls = sandbox.qualys_url, sandbox.ciscovm_url
        lines = [str(one) for one in WALKS[place](sandbox)]
    for url in urls:
        lines = [line.replace(url, "") for line in lines]
    return lines, sandbox


@pytest.fixture(scope="module")
def ordinary() -> dict[str, list[str]]:
    return {place: transcript(place)[0] for place in WALKS}


@pytest.mark.parametrize("place", WALKS)
def test_without_a_fault_the_same_walk_is_told_the_same(
    place: str, ordinary: dict[str, list[str]]
) -> None:
    assert transcript(place)[0] == ordinary[place]
    assert len(ordinary[place]) >= 10


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.place in WALKS])
def test_each_fault_strikes_and_shows(name: str, ordinary: dict[str, list[str]]) -> None:
    place = KINDS[name].place

    lines, sandbox = transcript(place, f"{name}+0")

    assert (sandbox.faults.struck[name] > 0) is (name not in STANDING)
    assert lines != ordinary[place]
