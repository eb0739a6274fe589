"""`--audit` and `--rebuild-ledger`, run in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.endings import Ending, ending_well
from target_ciscovm.target import TargetCiscoVM
from tests.sandbox.ciscovm.tenant.tenant import API_KEY
from tests.support.json_lines import json_lines
from tests.support.json_schemas import validator_of
from tests.target.loads import QuickTarget, own_signals

if TYPE_CHECKING:
    from tests.target.loads import CVM

FOREIGN: Final = "left alone"
VALIDATOR: Final = validator_of("audit")


@dataclass
class Looked:
    """What a look came to.

    Attributes:
        document: of its `audit.json`; empty when there is none.
        drift: kind and identifier of each row of its `drift.jsonl` that differs.
        foreign: identifiers of those that are left alone.
        page: its `audit.html`.
    """

    exit_code: int
    message: str
    document: dict[str, Any] = field(default_factory=dict)
    drift: set[tuple[str, str]] = field(default_factory=set)
    foreign: list[str] = field(default_factory=list)
    page: str = ""


def look(cvm: CVM, command: str, **settings: object) -> Looked:
    """Run a command without a load, and look at what it left behind."""
    before = set(cvm.output.glob("2*"))
    looked = Looked(0, "")
    with own_signals():
        try:
            with ending_well(TargetCiscoVM.logger):
                QuickTarget(config=cvm.config(**settings)).look(**{command: True})
        except Ending as ending:
            looked = Looked(ending.exit_code, ending.message)
    for folder in set(cvm.output.glob("2*")) - before:
        assert not (folder / "spool").exists()
        for path in folder.iterdir():
            assert API_KEY not in path.read_text()
        if (folder / "audit.json").exists():
            looked.document = json.loads((folder / "audit.json").read_text())
            VALIDATOR.validate(looked.document)
            assert looked.document["exit_code"] == looked.exit_code
            looked.message = looked.document["message"]
            rows = json_lines((folder / "drift.jsonl").read_bytes())
            told = [(row["kind"], row["identifier"]) for row in rows]
            looked.foreign = [name for kind, name in told if kind == FOREIGN]
            looked.drift = {one for one in told if one[0] != FOREIGN}
            assert looked.document["holdings"]["foreign"] == len(looked.foreign)
            looked.page = (folder / "audit.html").read_text()
    return looked


def audit(cvm: CVM, **settings: object) -> Looked:
    """Hold what CVM has against the ledger; nothing in CVM changes by it."""
    shown, sent = cvm.shown(), cvm.requests["data_file"] + cvm.requests["run"]
    looked = look(cvm, "audit", **settings)
    assert cvm.shown() == shown
    assert cvm.requests["data_file"] + cvm.requests["run"] == sent
    return looked


def rebuild(cvm: CVM, **settings: object) -> Looked:
    """Make the ledger anew from what CVM holds."""
    return look(cvm, "rebuild_ledger", **settings)
