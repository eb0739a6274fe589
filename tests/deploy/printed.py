"""What pages print for a reader to copy, and which of it no test can run, with the reason."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES: Final = ("README.md", "docs/tutorial.md")
"""All that they print is run, in its order."""
HOME: Final = "/home/you"
"""Where the pages say that the reader's files lie."""
NOT_RUN: Final = {
    "pip install uv && uv run python -m tests": "it runs this suite; .ci/run has the same command",
    "uv run mkdocs serve": "it serves until it is stopped; the suite builds the site",
    "uv tool update-shell": "it changes the files of the user's shell",
    "crontab -e": "it opens an editor; the line for it is run as cron would",
}
ELSEWHERE: Final = {
    "docker": "there is no daemon: the steps of the image and its command are run in a folder",
    "kubectl": "there is no cluster: kubernetes-validate checks the file",
    "systemctl": "systemd does not run: systemd-analyze checks the units, the command is run",
    "useradd": "it makes an account on this machine",
    "chown": "it gives the folder to that account",
}
"""First words of commands of the pages and files for deployment that are not run as printed."""

_BLOCK: Final = re.compile(
    r"^ *```(?P<kind>sh|ini|cron)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE
)
_INDENTED: Final = re.compile(r"(?<=\n\n) {4}\S.*?(?=\n\n|\Z)", re.DOTALL)
_FENCED: Final = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"`((?:uv|pip|git|meltano|crontab|docker|python) [^`]+)`")
_LOGIN: Final = "TAP_QUALYSWAS_USERNAME"
_JOB: Final = re.compile(r"^\S+ \S+ \* \* \* (?P<command>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Commands, lines for `.env`, or a crontab."""

    kind: str
    text: str


def text_of(page: str) -> str:
    """Give a file of the project."""
    return (ROOT / page).read_text("utf-8")


def blocks(page: str) -> list[Block]:
    """Give what a page prints for a reader to copy, in its order."""
    return [Block(found["kind"], dedent(found["text"])) for found in _BLOCK.finditer(text_of(page))]


def other_commands(page: str) -> set[str]:
    """Give the commands that a page prints in another way than in such blocks."""
    text = _FENCED.sub("", text_of(page))
    indented = {dedent(found).strip() for found in _INDENTED.findall(text)}
    commands = {found for found in indented if not re.match(r"\d+\. |[-!|]|[A-Z][a-z]", found)}
    return commands | set(_INLINE.findall(text))


def commands_at_the_head(file: str) -> list[str]:
    """Give the commands that the first comment of a file names, each in a line."""
    head = text_of(file).partition("\n\n")[0].replace("\\\n#", "")
    return [line[1:].strip() for line in head.splitlines() if line.startswith("#   ")]


def script(page: str, settings: Mapping[str, str]) -> str:
    """Give a page as a script; in place of the values for `.env` stand those of the sandbox."""
    lines = ["set -euxo pipefail"]
    for block in blocks(page):
        if block.kind == "sh":
            lines.append(block.text)
        elif block.kind == "ini":
            names = [line.partition("=")[0] for line in block.text.splitlines()]
            kept = settings if _LOGIN in names else {name: settings[name] for name in names}
            lines += filling_in(kept)
        else:
            lines.append(f'test -z "$({cron_job(block.text)})"  # cron would mail what it prints')
    return "\n".join(lines)


def filling_in(settings: Mapping[str, str]) -> list[str]:
    """Give the lines of a script that add settings to `.env`."""
    pairs = (f"{name}={shlex.quote(value)}" for name, value in settings.items())
    return [f"echo {shlex.quote(pair)} >> .env" for pair in pairs]


def cron_job(crontab: str) -> str:
    """Give the command of a crontab in the environment of cron, for a shell with a HOME."""
    *variables, _ = crontab.strip().splitlines()
    found = _JOB.search(crontab)
    assert found
    given = " ".join(variable.replace(HOME, "$HOME") for variable in variables)
    command = found["command"].replace(HOME, "$HOME")
    # Nobody is called by a test: cron's own environment would let Meltano count its use.
    quiet = "MELTANO_SEND_ANONYMOUS_USAGE_STATS=false"
    return f'env -i HOME="$HOME" {quiet} {given} /bin/sh -c "{command}" 2>&1'
