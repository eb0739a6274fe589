"""The sandbox's Qualys besides its searches: one object, downloads, knowledge base, tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests
from lxml import etree

from tests.sandbox.faults.switches import Switches
from tests.sandbox.qualys.face import KNOWLEDGE_BASE
from tests.sandbox.qualys.fo import LIMIT
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.qualys.asking import Asker, basic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KB = "/api/2.0/fo/knowledge_base/vuln/"
REQUESTED_WITH = {"X-Requested-With": "tests"}


class Client(Asker):
    """Asks for what `Asker` does not, too, and gives raw answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox
        self.url = sandbox.qualys_url

    def raw(self, path: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        every = {**self.headers, **(headers or {})}
        return requests.get(self.url + path, headers=every, timeout=20)

    def kb(self, ids: str | None, path: str = KB, **form: str) -> etree._Element:
        """Ask the knowledge base by POST, and give the root of its answer."""
        given = {"action": "list", **({} if ids is None else {"ids": ids}), **form}
        headers = {**self.headers, **REQUESTED_WITH}
        answer = requests.post(self.url + path, given, headers=headers, timeout=20)
        return etree.fromstring(answer.content)

    def token(self, **changes: str) -> requests.Response:
        face = self.sandbox.face
        headers = {
            "clientId": face.client_id,
            "clientSecret": face.client_secret,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return requests.post(f"{self.url}/auth/oidc", headers={**headers, **changes}, timeout=20)


@pytest.fixture
def client() -> Iterator[Client]:
    with Sandbox(apps=3, findings=30, qids=12, scans=4) as sandbox:
        yield Client(sandbox)


def qids(root: etree._Element) -> list[str | None]:
    return [one.findtext("QID") for one in root.iter("VULN")]


def refusal(root: etree._Element) -> tuple[str, str | None]:
    return root.tag, root.findtext("RESPONSE/CODE")


def test_one_object_is_given_by_its_id_with_all_details(client: Client) -> None:
    world = client.sandbox.world
    app, scan = next(iter(world.apps.values())), world.scans[0]
    finding = next(world.all_findings())

    assert client.get(f"get/was/webapp/{app.id}").values("name") == [app.name]
    assert client.get(f"get/was/wasscan/{scan.id}").values("target/webApp/id") == [str(scan.app.id)]
    for key in (finding.id, world.unique_id(finding)):
        found = client.get(f"get/was/finding/{key}")
        assert found.values("uniqueId") == [world.unique_id(finding)]
        assert found.rows[0].find("resultList") is not None


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("get/was/webapp/1", "NOT_FOUND"),
        ("get/was/webapp/abc", "INVALID_REQUEST"),
        ("download/was/wasscan/1", "NOT_FOUND"),
        ("get/was/nothing/1", "INVALID_URL"),
        ("search/was/webapp", "OPERATION_NOT_SUPPORTED"),
        ("delete/was/webapp/1", "OPERATION_NOT_SUPPORTED"),
    ],
)
def test_what_is_not_there_is_refused_inside_http_200(client: Client, path: str, code: str) -> None:
    assert client.get(path).code == code


def test_a_download_is_the_scans_own_document(client: Client) -> None:
    scan = next(scan for scan in client.sandbox.world.scans if scan.over)

    root = etree.fromstring(client.raw(f"/qps/rest/3.0/download/was/wasscan/{scan.id}").content)

    assert (root.tag, root.findtext("id")) == ("WasScan", str(scan.id))
    assert root.find("vulns") is not None
    assert root.find("responseCode") is None


def test_a_scan_that_runs_has_nothing_to_download_yet(client: Client) -> None:
    world = client.sandbox.world
    scan = world.launch_scan(next(iter(world.apps.values())))

    assert client.get(f"download/was/wasscan/{scan.id}").code == "STILL_PROCESSING"
    world.finish_scan(scan)
    assert client.raw(f"/qps/rest/3.0/download/was/wasscan/{scan.id}").text.count("<WasScan ") == 1


def test_the_portal_tells_its_version_to_whoever_may_log_in(client: Client) -> None:
    answer = client.raw("/qps/rest/portal/version")
    client.headers = basic("nobody", "x")

    assert "<WAS-VERSION>" in answer.text
    assert "INVALID_CREDENTIALS" in client.raw("/qps/rest/portal/version").text


def test_other_paths_are_the_portals_page_for_people(client: Client) -> None:
    answer = client.raw("/portal-front/")

    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


def test_the_knowledge_base_gives_what_it_knows_of_the_ids(client: Client) -> None:
    known = sorted(one.qid for one in client.sandbox.world.qids if one.entry)
    unknown = [one.qid for one in client.sandbox.world.qids if one.entry is None]
    asked = ",".join(str(number) for number in (*known[2:], *unknown, 999_999_999))

    assert qids(client.kb(asked)) == [str(number) for number in known[2:]]
    assert qids(client.kb(f"{known[0]}-{known[1]}")) == [str(number) for number in known[:2]]
    nothing = client.kb("999999999")
    assert (nothing.tag, nothing.find("RESPONSE/VULN_LIST")) == (
        "KNOWLEDGE_BASE_VULN_LIST_OUTPUT",
        None,
    )
    assert not client.sandbox.violations()


def test_asking_for_all_of_the_knowledge_base_is_a_violation(client: Client) -> None:
    assert len(qids(client.kb(None))) > 5
    assert client.sandbox.violations() != []


@pytest.mark.parametrize(
    ("ids", "form", "code"),
    [
        ("0", {}, "1905"),
        ("12,,13", {}, "1905"),
        ("12a", {}, "1905"),
        ("12", {"action": "fetch"}, "1905"),
        ("12", {"no_such": "1"}, "1901"),
        (",".join(map(str, range(1, 1002))), {}, "1905"),
    ],
)
def test_bad_parameters_of_the_knowledge_base_are_refused(
    client: Client, ids: str, form: dict[str, str], code: str
) -> None:
    assert refusal(client.kb(ids, **form)) == ("SIMPLE_RETURN", code)


def test_the_knowledge_base_wants_a_header_a_login_and_a_version(client: Client) -> None:
    bare = client.raw(f"{KB}?action=list&ids=1")
    old = client.raw(f"{KB}?action=list&ids=1".replace("2.0", "1.0"), REQUESTED_WITH)
    client.headers = basic(client.sandbox.username, "wrong")

    assert (bare.status_code, "<CODE>1903</CODE>" in bare.text) == (400, True)
    assert old.status_code == 404
    assert refusal(client.kb("1")) == ("SIMPLE_RETURN", "2000")


def test_the_301st_call_within_an_hour_is_refused_with_the_wait(client: Client) -> None:
    url = f"{client.url}{KB}?action=list&ids=1"
    with requests.Session() as session:
        session.headers.update({**client.headers, **REQUESTED_WITH})
        while client.sandbox.qualys_requests[KNOWLEDGE_BASE] < LIMIT:
            assert session.get(url, timeout=20).status_code == 200
        refused = session.get(url, timeout=20)
        client.sandbox.clock.advance(timedelta(hours=1))
        later = session.get(url, timeout=20)

    assert (refused.status_code, "<CODE>1965</CODE>" in refused.text) == (409, True)
    assert 3000 < int(refused.headers["X-RateLimit-ToWait-Sec"]) <= 3601
    assert later.status_code == 200


def test_a_token_of_the_gateway_is_good_for_four_hours_on_was_alone(client: Client) -> None:
    token = client.token()
    client.headers = {"Authorization": f"Bearer {token.text}"}

    assert token.status_code == 201
    assert client.get("count/was/webapp").count == 3
    assert refusal(client.kb("1")) == ("SIMPLE_RETURN", "2000")
    client.sandbox.clock.advance(timedelta(hours=4))
    assert client.get("count/was/webapp").code == "INVALID_CREDENTIALS"


def test_the_knowledge_base_may_take_tokens_too() -> None:
    with Sandbox(apps=1, findings=1, switches=Switches(bearer_on_fo=True)) as sandbox:
        client = Client(sandbox)
        client.headers = {"Authorization": f"Bearer {client.token().text}"}

        assert client.kb("1").tag == "KNOWLEDGE_BASE_VULN_LIST_OUTPUT"


@pytest.mark.parametrize(
    "changes",
    [{"clientId": "other"}, {"clientSecret": "other"}, {"Content-Type": "application/json"}],
)
def test_other_clients_get_no_token(client: Client, changes: dict[str, str]) -> None:
    assert client.token(**changes).status_code == 401


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.sandbox", "e30.!.sandbox"])
def test_made_up_tokens_are_refused(client: Client, token: str) -> None:
    client.headers = {"Authorization": f"Bearer {token}"}

    assert client.get("count/was/webapp").code == "INVALID_CREDENTIALS"


def test_many_clients_at_once_are_answered_like_one(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: client.count("finding"), range(24)))

    assert counts == [30] * 24


PARTS = (
    "id name reference type mode multi target profile options launchedDate launchedBy status "
    "endScanDate scanDuration summary stats vulns sensitiveContents igs sendMail"
)
ENTRY = (
    "QID VULN_TYPE SEVERITY_LEVEL TITLE CATEGORY LAST_SERVICE_MODIFICATION_DATETIME "
    "PUBLISHED_DATETIME PATCHABLE SOFTWARE_LIST VENDOR_REFERENCE_LIST CVE_LIST DIAGNOSIS "
    "CONSEQUENCE SOLUTION CVSS CVSS_V3 PCI_FLAG THREAT_INTELLIGENCE DISCOVERY"
)


def download(client: Client, scan_id: int) -> etree._Element:
    return etree.fromstring(client.raw(f"/qps/rest/3.0/download/was/wasscan/{scan_id}").content)


def test_a_download_has_its_parts_in_the_recorded_order(client: Client) -> None:
    root = download(client, client.sandbox.world.scans[-1].id)
    assert [child.tag for child in root] == PARTS.split()
    assert [child.tag for child in root.iterfind("stats/*")] == [
        "global",
        "byGroup",
        "byOwasp",
        "byWasc",
    ]
    total = int(root.findtext("stats/global/nbVulnsTotal") or -1)
    assert total == int(root.findtext("vulns/count") or -1)
    counted = sum(int(one.findtext("nbTotal") or 0) for one in root.iter("GroupStat"))
    assert counted == total + int(root.findtext("sensitiveContents/count") or -1)


def test_a_download_stays_as_it_was_written(client: Client) -> None:
    world = client.sandbox.world
    scan = world.scans[-1]
    before = download(client, scan.id)
    uris = [one.text for one in before.iterfind("vulns/list/WasScanVuln/uri")]
    for finding in world.findings_of(scan.app):
        if finding.url is not None:
            world.edit_severity(finding, 6 - finding.severity)
            world.move_finding(finding, "https://moved.example.test/")
            world.retitle(finding.qid, "another title")
    world.rename_app(scan.app, "another name")
    world.delete_finding(world.findings_of(scan.app)[0])
    world.finish_scan(world.launch_scan(scan.app))
    assert etree.tostring(download(client, scan.id)) == etree.tostring(before)

    newest = download(client, world.scans[-1].id)
    assert newest.findtext("target/webApp/name") == "another name"
    moved = {one.text for one in newest.iterfind("vulns/list/WasScanVuln/uri")}
    assert moved == {"https://moved.example.test/"}
    assert uris
    assert not moved & set(uris)


def test_entries_have_the_recorded_parts_in_their_order() -> None:
    with Sandbox(apps=1, findings=1, qids=60) as sandbox:
        client = Client(sandbox)
        known = ",".join(str(one.qid) for one in sandbox.world.qids)
        entries = list(client.kb(known).iter("VULN"))
    order = ENTRY.split()
    seen = [[child.tag for child in entry] for entry in entries]
    assert all(parts == sorted(parts, key=order.index) for parts in seen)
    assert {tag for parts in seen for tag in parts} == set(order)
    one = next(entry for entry in entries if entry.find("VENDOR_REFERENCE_LIST") is not None)
    assert one.findtext("VENDOR_REFERENCE_LIST/VENDOR_REFERENCE/ID")
    threat = next(threat for entry in entries for threat in entry.iter("THREAT_INTEL"))
    assert (threat.get("id"), threat.text) == ("5", "Easy_Exploit")
    software = next(found for entry in entries for found in entry.iter("SOFTWARE"))
    assert [child.tag for child in software] == ["PRODUCT", "VENDOR"]


def test_a_world_without_qids_has_an_empty_knowledge_base() -> None:
    with Sandbox(apps=0, findings=0, qids=0, scans=0) as sandbox:
        root = Client(sandbox).kb("150001")

    assert root.tag == "KNOWLEDGE_BASE_VULN_LIST_OUTPUT"
    assert root.findall(".//VULN") == []
