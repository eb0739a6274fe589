"""Plant one bad bug after another in a copy of the project, and see the tests notice each.

`python -m tests.planted [--only NAME]` copies the project to a scratch folder, makes one change
there, runs the tests that ought to notice, and goes on with the next. It ends with 0 when each bug
was noticed, and names those that were not. No change is made to the project itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
COPIED: Final = ("qualyswas_ciscovm", "tap_qualyswas", "target_ciscovm", "tests", "docs", "tools")
OTHERS: Final = ("pyproject.toml", "README.md", "meltano.yml", ".env.example")
SECONDS: Final = 900


@dataclass(frozen=True)
class Bug:
    """One bug.

    Attributes:
        file: where it is planted.
        right: the code as it is, once in the file.
        wrong: what stands there instead.
        tests: what ought to notice it, for pytest.
    """

    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


WEEKS: Final = ("tests/pair/test_weeks.py",)
BUGS: Final[dict[str, Bug]] = {
    "state passed on before the run": Bug(
        "target_ciscovm/run.py",
        "            send(self, self._way(place, api, received), written, received.sync)\n",
        "            self._pass_state(self._state or b'{}')\n"
        "            send(self, self._way(place, api, received), written, received.sync)\n",
        ("tests/target/test_outcomes.py", *WEEKS),
    ),
    "gone without proof": Bug(
        "target_ciscovm/plan/statements.py",
        "    WHEN NOT :proven THEN 'not proven'\n",
        "",
        ("tests/target/plan/test_gone.py", *WEEKS),
    ),
    "gone though nobody read its web application": Bug(
        "target_ciscovm/plan/statements.py",
        "    ELSE 'web app not read'\n",
        "    ELSE 'gone'\n",
        ("tests/target/plan", *WEEKS),
    ),
    "gone with an account that shows another part": Bug(
        "target_ciscovm/plan/statements.py",
        "    ) THEN 'another account'\n",
        "    ) AND 0 THEN 'another account'\n",
        ("tests/target/plan/test_accounts.py",),
    ),
    "CVM told to close what the load lacks": Bug(
        "target_ciscovm/kdi/files.py",
        '"skip_autoclose":true',
        '"skip_autoclose":false',
        ("tests/target/plan/test_gone.py", *WEEKS),
    ),
    "a gap in the chain not seen": Bug(
        "target_ciscovm/ledger/chain.py",
        "    if previous <= link.began:\n        return None\n",
        "    if previous:\n        return None\n",
        ("tests/target/ledger/test_chain.py", "tests/pair/faults_seen/test_chain.py"),
    ),
    "rows altered on the way taken for whole": Bug(
        "target_ciscovm/plan/proof.py",
        "and stream.digest != digest:\n",
        "and not digest:\n",
        ("tests/target/plan/test_proof.py",),
    ),
    "a part of the proof that is missing taken for everything": Bug(
        "target_ciscovm/plan/proof.py",
        "    if lacking:\n",
        "    if lacking and not sync:\n",
        ("tests/target/plan/test_proof.py",),
    ),
    "finding types that were not read taken for read": Bug(
        "target_ciscovm/plan/statements.py",
        "    WHEN e.type NOT IN (SELECT type FROM covered_type) THEN 'type not read'\n",
        "",
        ("tests/target/plan/test_lacking.py", "tests/pair/faults_seen"),
    ),
    "web applications counted in place of compared": Bug(
        "tap_qualyswas/sync/coverage.py",
        "        self.changed = self.read ^ set(webapp_ids)\n",
        "        now = set(webapp_ids)\n"
        "        self.changed = self.read ^ now if len(now) != len(self.read) else set()\n",
        ("tests/tap/sync", *WEEKS),
    ),
    "full sync not asked for": Bug(
        "target_ciscovm/output/state.py",
        '    syncs["fullSyncAsked"] = True\n',
        "",
        ("tests/target/plan/test_gaps.py",),
    ),
    "CVM's counters not looked at": Bug(
        "target_ciscovm/report/endings.py",
        "    if facts.delivered is not None and facts.delivered.answer.hard:\n",
        "    if facts.delivered is None:\n",
        ("tests/target/apply/test_told_by_cvm.py",),
    ),
    "an old place not closed": Bug(
        "target_ciscovm/plan/statements.py",
        "    CASE WHEN :over OR NOT :moves THEN 'leave' ELSE 'close' END,\n",
        "    'leave',\n",
        ("tests/target/plan/test_decisions.py", "tests/target/plan/test_moves.py"),
    ),
    "a foreign ledger taken": Bug(
        "target_ciscovm/ledger/ledger.py",
        "        if found != self._home:\n",
        "        if found != self._home and not found:\n",
        ("tests/target/ledger/test_failures.py",),
    ),
    "asset split over parts": Bug(
        "target_ciscovm/apply/files.py",
        "                self._write_found(key, found)\n",
        "                entries = found.items[self._model]\n"
        "                for found.items[self._model] in [[one] for one in entries]:\n"
        "                    self._write_found(key, found)\n",
        ("tests/target/mapping/test_located.py", *WEEKS),
    ),
    "a full sync asked for again and again": Bug(
        "tap_qualyswas/sync/state.py",
        '            part["fullSyncAsked"] = None\n',
        '            part["asked"] = None\n',
        ("tests/tap/sync/test_full_again.py",),
    ),
    "a cursor of another account used": Bug(
        "tap_qualyswas/sync/cursors.py",
        "        return kept is not None and same_view(kept, self._origin.account)\n",
        "        return kept is not None\n",
        ("tests/tap/sync/test_full_again.py",),
    ),
    "the proof told of what a map has left": Bug(
        "tap_qualyswas/sync/proof.py",
        '        "read": tally.read,\n',
        '        "read": emitted,\n',
        ("tests/tap/sync/test_proof.py",),
    ),
    "offset paging": Bug(
        "tap_qualyswas/search/pages.py",
        "replace(id_range, after=known[-1]),)\n",
        "replace(id_range, after=(id_range.after or known[0] - 1) + len(ids)),)\n",
        ("tests/tap/search/test_pages.py", *WEEKS),
    ),
    "error read as an empty page": Bug(
        "tap_qualyswas/qualys/answers.py",
        "    document = _document(reply)\n    root = document.root\n",
        "    try:\n        document = _document(reply)\n"
        "    except errors.QualysError:\n"
        "        return ServiceAnswer((), 0, False, None, 0, False)\n"
        "    root = document.root\n",
        ("tests/tap/qualys/test_answers.py", *WEEKS),
    ),
    "a reference taken for a text": Bug(
        "tap_qualyswas/search/row_outline.py",
        'TEXT: Final = ("", "[^<>&]*", "")\n',
        'TEXT: Final = ("", "[^<>]*", "")\n',
        ("tests/tap/search/test_outlines.py",),
    ),
    "a wait of 0 taken for a hint": Bug(
        "tap_qualyswas/qualys/hints.py",
        "    return seconds if seconds > 0 else None\n",
        "    return seconds\n",
        ("tests/tap/qualys/test_hints.py",),
    ),
    "a 404 in the middle taken for a missing licence": Bug(
        "tap_qualyswas/qualys/refusals.py",
        "        return _passing(reply) if reply.is_known else error\n",
        "        return error\n",
        ("tests/tap/qualys/test_answers.py",),
    ),
    "what earlier syncs have shown forgotten": Bug(
        "tap_qualyswas/qualys/call_history.py",
        "        self._before = frozenset(parts)\n",
        "        self._before = frozenset()\n",
        ("tests/tap/qualys/test_call_history.py",),
    ),
    "a page for people taken for a report without findings": Bug(
        "tap_qualyswas/qualys/answers.py",
        '    if _root(reply) not in {REPORT, "ServiceResponse"}:\n'
        "        raise _unexpected(reply)\n",
        "    if _root(reply) != REPORT:\n        return\n",
        ("tests/tap/sources/test_reports_missing.py",),
    ),
    "what is refused given up at once": Bug(
        "tap_qualyswas/search/walk.py",
        "        if not spares or sweep.kind in self._accepted:\n",
        "        if spares:\n",
        ("tests/tap/search/test_without.py",),
    ),
    "bookmark from the clock": Bug(
        "tap_qualyswas/sync/plan.py",
        "    new = to_text(min(parse_strict(greatest), horizon))\n",
        "    import datetime as d\n    new = to_text(d.datetime.now(d.timezone.utc))\n",
        ("tests/tap/sync/test_incremental.py", *WEEKS),
    ),
    "running scans forgotten by a resumed walk": Bug(
        "tap_qualyswas/sources/scans.py",
        "        bookmarks.unended_scans.forget()\n",
        "        bookmarks.unended_scans.begin()\n",
        ("tests/tap/sync/test_resume.py", "tests/tap/sync/test_running_scans.py"),
    ),
    "a report that could not be had called read": Bug(
        "tap_qualyswas/sources/scan_reports.py",
        "coverage.leave_out([scan.webapp_id])\n                of_what",
        "coverage\n                of_what",
        ("tests/tap/sources/test_reports_missing.py",),
    ),
    "a scan without its login taken for the latest": Bug(
        "tap_qualyswas/sources/latest_scans.py",
        "        elif best is None or scan.login >= best:\n",
        "        else:\n",
        ("tests/tap/sources/test_reports_missing.py",),
    ),
    "a report with a short list called whole": Bug(
        "tap_qualyswas/records/scan_results.py",
        "        if told is not None and told != seen[kind]:\n",
        "        if told is not None and told < seen[kind]:\n",
        ("tests/tap/sources/test_reports_missing.py",),
    ),
    "a report file with filters taken for the whole": Bug(
        "tap_qualyswas/records/portal/report.py",
        "        if words and words.lower() not in WIDENING:\n",
        "        if words is None:\n",
        ("tests/tap/sources/report_files/test_coverage.py",),
    ),
    "a report file older than one that was read": Bug(
        "tap_qualyswas/sources/report_files/reports.py",
        "            if self.survey.newest[number] < self.kept.get(number, UNDATED)\n",
        "            if self.survey.newest[number] < UNDATED\n",
        ("tests/tap/sources/report_files/test_coverage.py",),
    ),
    "a newer report of a scan forgotten by the proof": Bug(
        "tap_qualyswas/sources/report_files/reports.py",
        "max(moment, self.kept.get(number, UNDATED), A_DATE)",
        "max(self.kept.get(number, UNDATED), A_DATE)",
        ("tests/tap/sources/report_files/test_coverage.py",),
    ),
    "a text cut at an entity": Bug(
        "tap_qualyswas/records/parsing.py",
        "    document = body[prolog.root_at :]\n",
        "    document = body\n",
        ("tests/tap/records/test_parsing.py",),
    ),
    "a scan that reached nobody taken for a look": Bug(
        "target_ciscovm/mapping/scans_seen.py",
        "results not in AT_WORK | WITHOUT_RESULTS",
        "results not in AT_WORK",
        ("tests/target/mapping/test_scans_seen.py",),
    ),
    "a QID's missing finding called complete": Bug(
        "tap_qualyswas/sources/knowledge_base.py",
        "    unclassified = again.keys() - came\n",
        "    unclassified = set[int]()\n",
        ("tests/tap/sync/test_whole_world.py",),
    ),
    "counted rows that did not come called complete": Bug(
        "tap_qualyswas/sync/tallies.py",
        "    return min(tally.counted, after) <= tally.fetched <= max(tally.counted, after)\n",
        "    return tally.fetched <= max(tally.counted, after)\n",
        (
            "tests/tap/sync/test_tallies.py",
            "tests/tap/sync/test_whole_world.py",
            "tests/tap/search/test_walks.py",
        ),
    ),
    "retry that sends half a file": Bug(
        "target_ciscovm/cvm/multipart.py",
        "        self._file.seek(0)\n",
        "        tried = globals().setdefault('tried', set())\n"
        "        self._file.seek(size // 2 if path in tried else 0)\n"
        "        tried.add(path)\n",
        ("tests/target/cvm/test_upload.py", *WEEKS),
    ),
    "secret in an error": Bug(
        "target_ciscovm/cvm/client.py",
        "        self.connector_id = connector_id\n",
        "        self.connector_id = connector_id\n        self.api_key = api_key\n"
        "        LOGGER.info('The key is %s', api_key)\n",
        ("tests/target", "-k", "secret or key or outcome"),
    ),
    "what others have sent closed by an earlier sync": Bug(
        "target_ciscovm/audit/amendment.py",
        "*KEEP, KEEP_ASSETS, SENT_SINCE):\n",
        "*KEEP, KEEP_ASSETS):\n",
        ("tests/target/audit/test_catching_up.py",),
    ),
    "what an audit cannot see yet forgotten": Bug(
        "target_ciscovm/audit/amendment.py",
        "sent_at >= :young THEN 'perhaps' ELSE ",
        "sent_at >= :young THEN 'closed' ELSE ",
        (
            "tests/target/audit/test_neighbours.py",
            "tests/target/audit/test_catching_up.py",
            "tests/target/audit/test_rebuild.py",
        ),
    ),
    "assets known by what CVM ranks first alone": Bug(
        "target_ciscovm/audit/drift.py",
        "        places.place(connection)\n",
        "",
        ("tests/target/audit/test_places.py",),
    ),
    "an older fix believed as its clock was ahead": Bug(
        "target_ciscovm/plan/decisions.py",
        "    if not started or terms.ahead:\n",
        "    if not started:\n",
        ("tests/target/plan/test_decisions.py", "tests/target/plan/test_gaps.py"),
    ),
    "another connector's entries called a difference": Bug(
        "target_ciscovm/audit/held.py",
        "            len(holding.owners) != 1,\n",
        "            False,\n",
        ("tests/target/audit/test_neighbours.py",),
    ),
    "another account's findings without web application gone": Bug(
        "target_ciscovm/plan/statements.py",
        " AND (e.account IS NOT NULL OR {_ALONE}) THEN 'gone'",
        " THEN 'gone'",
        ("tests/target/audit/test_lost.py",),
    ),
    "closings of people called a difference": Bug(
        "target_ciscovm/audit/drift.py",
        "        WHEN h.judged THEN '{BY_PEOPLE}'\n",
        "",
        ("tests/target/audit/test_audit.py",),
    ),
    "runs of others not noticed": Bug(
        "target_ciscovm/audit/catching_up.py",
        "    others = ledger.known_runs.others(runs)\n",
        "    others: list[int] = []\n",
        ("tests/target/audit/test_catching_up.py",),
    ),
    "FIXED ignored": Bug(
        "target_ciscovm/intake/intake.py",
        '            "fixed" if is_fixed else "open",\n',
        '            "fix ignored" if is_fixed else "open",\n',
        ("tests/target/plan/test_fixes.py", *WEEKS),
    ),
    "rejected record called gone": Bug(
        "target_ciscovm/intake/spool.py",
        '        self.execute("INSERT OR IGNORE INTO lost VALUES(?, ?)", (identifier, cause))\n',
        "        return\n",
        ("tests/target", "-k", "reject or lost"),
    ),
}


def main() -> int:
    """Plant each bug and give 0 when all were noticed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(BUGS), default=[])
    chosen = parser.parse_args().only or list(BUGS)
    missed = []
    for name in chosen:
        noticed, summary = plant(BUGS[name])
        sys.stdout.write(f"{'noticed' if noticed else 'MISSED '}  {name}: {summary}\n")
        sys.stdout.flush()
        if not noticed:
            missed.append(name)
    sys.stdout.write(f"{len(chosen) - len(missed)} of {len(chosen)} planted bugs were noticed\n")
    return 1 if missed else 0


def plant(bug: Bug) -> tuple[bool, str]:
    """Plant one bug in a copy; tell whether the tests failed, and pytest's last line."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        for name in (*COPIED, *OTHERS):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy2(source, copy / name)
        file = copy / bug.file
        text = file.read_text(encoding="utf-8")
        if text.count(bug.right) != 1:
            return (False, f"the place in {bug.file} is not there once: mend tests/planted.py")
        file.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *bug.tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    lines = done.stdout.decode(errors="replace").splitlines()
    failed = [line for line in lines if line.startswith("FAILED")]
    return (done.returncode == 1 and bool(failed), (failed or lines or [""])[-1][:160])


if __name__ == "__main__":
    sys.exit(main())
