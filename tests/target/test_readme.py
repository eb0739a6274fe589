"""What the README says of outcomes and files is what the target does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from target_ciscovm.outcomes import EXIT_CODES, PASSES_STATE_ON

README: Final = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"^\| `(\w+)` \| (\d+)[^|]*\| (yes|no) \|", re.MULTILINE)


def test_the_table_of_outcomes_is_that_of_the_code() -> None:
    rows = {name: (int(code), passed == "yes") for name, code, passed in ROW.findall(README)}

    assert rows.pop("interrupted") == (143, False)
    assert rows == {name: (code, name in PASSES_STATE_ON) for name, code in EXIT_CODES.items()}


def test_every_page_that_the_readme_names_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    named = re.findall(r"\]\(([^)#:]+)\)", README)

    assert "docs/performance.md" in named
    assert [name for name in named if not (root / name).exists()] == []
