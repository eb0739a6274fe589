"""The check before a release, and its notes: `python -m tools.release v0.2.0 REPOSITORY`.

Prints the changelog of the version. Ends with 1 and a reason when the tag is not the package's
version, the package names another repository, or the changelog lacks the version.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tools.hub import DISTRIBUTION, repository

CHANGELOG: Final = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def main() -> int:
    """Check, print the notes, and give the exit code."""
    tag, address = sys.argv[1:]
    found = notes(CHANGELOG.read_text("utf-8"), version(DISTRIBUTION))
    reasons = {
        f"The tag {tag} is not version {version(DISTRIBUTION)} of pyproject.toml.": (
            tag != f"v{version(DISTRIBUTION)}"
        ),
        f"pyproject.toml names {repository()}, and this is {address}.": repository() != address,
        "CHANGELOG.md has no section for the version.": not found,
    }
    wrong = [reason for reason, holds in reasons.items() if holds]
    sys.stderr.writelines(f"{reason}\n" for reason in wrong)
    if not wrong:
        sys.stdout.write(found)
    return 1 if wrong else 0


def notes(changelog: str, number: str) -> str:
    """Give the section of a version without its heading, or an empty text."""
    heading = rf"^## \[{re.escape(number)}\][^\n]*\n"
    found = re.search(heading + r"(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.MULTILINE)
    return found[1].strip() + "\n" if found else ""


if __name__ == "__main__":
    sys.exit(main())
