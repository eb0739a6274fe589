"""The files of a run, read or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.sandbox.ciscovm.kdi.check import refusals
from tests.sandbox.ciscovm.kdi.loose import strict_form

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.rows import Record
    from tests.sandbox.faults.switches import Switches


def read(content: bytes, switches: Switches) -> tuple[Record | None, list[str]]:
    """Return the document, or None and why the tenant refuses it."""
    lenient = switches.kdi == "lenient"
    document = strict_form(content) if lenient else content
    undated = lenient or switches.undated_closing != "refused"
    problems = refusals(document, undated_closing=undated)
    return (None if problems else json.loads(document)), problems
