"""Write the parts of the docs that the code knows best, or check that they are up to date.

`python -m tools.generate` rewrites `meltano.yml`, `.env.example`, the definitions in `plugins/`,
and the pages of settings, streams, `report.json` and `audit.json`; `--check` changes nothing, names
each file that differs, and ends with 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from tools import hub, meltano_project, pages, reference

ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> int:
    """Rewrite or check every generated file; give 0, or 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, end with 1 if stale")
    check = parser.parse_args().check
    stale = [path for path, text in _files().items() if _read(path) != text]
    for path in stale:
        if check:
            sys.stderr.write(f"{path} is out of date. Run: uv run python -m tools.generate\n")
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(_files()[path], encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
    return 1 if check and stale else 0


def _files() -> dict[str, str]:
    return {
        "meltano.yml": meltano_project.render(),
        ".env.example": pages.env_example(),
        "docs/settings.md": pages.settings_page(),
        "docs/streams.md": reference.streams_page(),
        "docs/report.md": reference.file_page(
            "report.json", "report.json", "Each run writes it beside `report.html`."
        ),
        "docs/audit.md": reference.file_page(
            "audit.json", "audit.json", "`meltano invoke target-ciscovm:audit` writes it."
        ),
        **hub.files(),
    }


def _read(path: str) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
