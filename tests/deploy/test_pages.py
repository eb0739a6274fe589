"""The pages: built in strict mode, and true where they repeat what the code says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tap_qualyswas.streams import ORDER
from target_ciscovm.outcomes import EXIT_CODES, PASSES_STATE_ON
from target_ciscovm.watching.metrics import KEPT, OF_RUN
from tests.deploy.printed import (
    ELSEWHERE,
    NOT_RUN,
    PAGES,
    blocks,
    commands_at_the_head,
    other_commands,
)
from tests.support.processes import ROOT
from tools.definitions import COMMANDS
from tools.reference import CALLS

if TYPE_CHECKING:
    from pathlib import Path

DOCS: Final = ROOT / "docs"
README: Final = (ROOT / "README.md").read_text("utf-8")
OUTCOME: Final = re.compile(r"^\| `(\w+)` \| (\d+)[^|]*\| (yes|no)\b[^|]* \|", re.MULTILINE)


def test_the_pages_are_built_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True)

    build(config)

    assert (tmp_path / "tutorial" / "index.html").exists()
    performance = (tmp_path / "performance" / "index.html").read_text("utf-8")
    assert f'href="{config.repo_url}/blob/main/tests/bench/peers/rivals.py"' in performance
    assert not list(tmp_path.rglob("*.py"))


def test_the_table_of_outcomes_is_that_of_the_code() -> None:
    rows = OUTCOME.findall((DOCS / "exit-codes.md").read_text("utf-8"))
    by_name: dict[str, set[tuple[int, bool]]] = {}
    for name, code, passed in rows:
        by_name.setdefault(name, set()).add((int(code), passed == "yes"))

    assert by_name.pop("interrupted") == {(143, False)}
    assert by_name.pop("failed") == {(1, False), (1, True)}  # where a full sync is asked for
    assert by_name == {
        name: {(code, name in PASSES_STATE_ON)}
        for name, code in EXIT_CODES.items()
        if name != "failed"
    }


def test_each_figure_for_prometheus_is_on_its_page() -> None:
    page = (DOCS / "how-to" / "watch.md").read_text("utf-8")

    assert [name for name in (*KEPT, *OF_RUN) if f"`{name}`" not in page] == []


def test_each_stream_says_what_it_asks_qualys() -> None:
    assert tuple(CALLS) == ORDER


def test_each_page_that_the_readme_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)[)#]", README)

    assert "docs/performance.md" in named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_command_that_runs_the_tests_is_that_of_the_readme() -> None:
    assert "\n    pip install uv && uv run python -m tests\n" in README
    assert "-m tests" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_a_page_is_run_or_named_with_the_reason(page: str) -> None:
    run = "\n".join(block.text for block in blocks(page))

    assert run
    assert {one for one in other_commands(page) if one not in run} <= set(NOT_RUN)


def test_each_command_of_a_plugin_that_a_page_names_is_declared() -> None:
    declared = {f"{plugin}:{name}" for plugin, names in COMMANDS.items() for name in names}
    pages = [README, *(page.read_text("utf-8") for page in DOCS.rglob("*.md"))]
    named = {one for page in pages for one in re.findall(r"invoke ([\w-]+:[\w-]+)", page)}

    assert "target-ciscovm:audit" in named
    assert named <= declared
    # It tells that the settings are valid, and nothing of what can be read.
    assert not [page for page in pages if "meltano config test" in page]


def test_what_is_not_run_is_printed() -> None:
    assert set(NOT_RUN) <= {one for page in PAGES for one in other_commands(page)}


def test_each_command_of_a_file_for_deployment_is_run_or_named_with_the_reason() -> None:
    files = ("Dockerfile", "compose.yaml", "kubernetes.yaml", "systemd/qualyswas-ciscovm.service")
    for file in files:
        commands = commands_at_the_head(f"deploy/{file}")
        assert commands
        assert {command.split()[0] for command in commands} <= set(ELSEWHERE)
