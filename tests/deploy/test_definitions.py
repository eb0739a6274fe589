"""The definitions in `plugins/`: right for the Meltano Hub, and enough for a new project."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from tap_qualyswas.streams import ORDER
from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.target import TargetCiscoVM
from tests.deploy.printed import PAGES, text_of
from tests.pair.commands import MELTANO, Ended, clean_environment, run_in_sandbox
from tests.support import processes
from tests.support.processes import BIN, ROOT
from tests.support.recorded import HUB_SCHEMAS, needs_hub_schemas

if TYPE_CHECKING:
    from pathlib import Path

    from referencing.jsonschema import Schema

    from qualyswas_ciscovm.plugin import Plugin

DEFINITIONS: Final = {
    "extractors": ROOT / "plugins" / "extractors" / "tap-qualyswas.yml",
    "loaders": ROOT / "plugins" / "loaders" / "target-ciscovm.yml",
}
BY_DEFAULT: Final = set(ORDER) - {"scan_results", "tags"}
PLUGINS: Final = {"extractors": "tap-qualyswas", "loaders": "target-ciscovm"}


def definition(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DEFINITIONS[kind].read_text("utf-8"))
    return found


@needs_hub_schemas
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_definition_is_right_by_the_schemas_of_the_hub(kind: str) -> None:
    folder = HUB_SCHEMAS / "plugin_definitions"
    schema = json.loads((folder / f"{kind}.schema.json").read_text("utf-8"))
    validator = Draft7Validator(schema, registry=REGISTRY)

    assert [error.message for error in validator.iter_errors(definition(kind))] == []

    wrong = definition(kind) | {"settings": [{"name": "x", "kind": "number"}]}
    assert not validator.is_valid(wrong)


def hub_schema(uri: str) -> Resource[Schema]:
    """Find a schema of the Hub by the end of its address; one that is not kept demands nothing."""
    (*_, folder, name) = ("plugin_definitions", *uri.split("/"))
    file = HUB_SCHEMAS / folder / name
    schema: Schema = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return DRAFT7.create_resource(schema)


REGISTRY: Final[Registry[Schema]] = Registry(retrieve=hub_schema)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_the_logo_is_there(kind: str) -> None:
    address = definition(kind)["logo_url"]

    logo = ROOT / address.partition("/raw/main/")[2]

    assert logo.read_text("utf-8").startswith("<svg xmlns=")


@pytest.mark.parametrize(
    ("kind", "plugin"), [("extractors", TapQualysWAS), ("loaders", TargetCiscoVM)]
)
def test_its_commands_are_options_of_the_plugin(kind: str, plugin: type[Plugin]) -> None:
    options = {one for param in plugin.get_singer_command().params for one in param.opts}
    commands = definition(kind)["commands"].values()
    words = {word.partition("=")[0] for command in commands for word in command["args"].split()}

    assert words <= options


def read_with(select: list[str]) -> set[str]:
    """Give the streams that Meltano lets the tap read."""
    # Half a processor second for each worker, to collect its tests.
    from meltano.core.plugin.singer import catalog as meltanos  # noqa: PLC0415

    catalog = json.loads((ROOT / "tests" / "tap" / "catalog.json").read_text("utf-8"))
    rules = [rule for word in (["!*.*"], select) for rule in meltanos.select_metadata_rules(word)]
    meltanos.visit(catalog, meltanos.MetadataExecutor(rules))
    return {
        stream["tap_stream_id"]
        for stream in catalog["streams"]
        for entry in stream["metadata"]
        if not entry["breadcrumb"] and entry["metadata"]["selected"]
    }


def test_all_streams_but_two_are_read_by_default() -> None:
    assert read_with(definition("extractors")["select"]) == BY_DEFAULT


@pytest.mark.parametrize("stream", ["scan_results", "tags"])
def test_meltano_select_adds_a_stream_to_those_of_the_definition(stream: str) -> None:
    added = [*definition("extractors")["select"], f"{stream}.*"]

    assert read_with(added) == BY_DEFAULT | {stream}


@pytest.mark.parametrize("word", ["ja", "y", "many", ""])
@pytest.mark.parametrize(
    ("kind", "name"),
    [("loaders", "dry_run"), ("loaders", "connector_id"), ("extractors", "page_size")],
)
def test_meltano_leaves_a_wrong_word_to_the_plugin(kind: str, name: str, word: str) -> None:
    from meltano.core.setting_definition import SettingDefinition  # noqa: PLC0415

    (entry,) = (entry for entry in definition(kind)["settings"] if entry["name"] == name)

    assert SettingDefinition.parse(entry).cast_value(word) == word


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_new_project_read_what_the_definition_selects(page: str) -> None:
    (words,) = re.findall("meltano config set tap-qualyswas _select '(.+)'", text_of(page))

    assert json.loads(words) == definition("extractors")["select"]


@pytest.fixture(scope="module")
def new_project(distribution: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project as a new user does: `meltano init`, and `meltano add` for each plugin."""
    path = tmp_path_factory.mktemp("fresh") / "project"
    meltano(path.parent, distribution, "init", path.name, "--no-usage-stats")
    for kind, name in PLUGINS.items():
        reference = ("--from-ref", str(DEFINITIONS[kind]))
        meltano(path, distribution, "add", "--plugin-type", kind, name, *reference)
    return path


def meltano(folder: Path, distribution: Path, *words: str) -> None:
    environment = clean_environment() | {"UV_FIND_LINKS": str(distribution)}
    command = [str(BIN / "meltano"), *words]
    done = processes.run(command, timeout=240, server=MELTANO, env=environment, cwd=folder)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def in_sandbox(project: Path, home: Path, *words: str) -> Ended:
    environment = {
        "MELTANO_SYS_DIR_ROOT": str(project / ".meltano"),
        "TARGET_CISCOVM_OUTPUT_PATH": str(project / "output"),
    }
    sizes = ["--home", str(home), "--apps", "6", "--findings", "60", "--qids", "10"]
    command = [str(BIN / "meltano"), "--cwd", str(project), *words]
    return run_in_sandbox(sizes, command, environment, MELTANO)


def test_a_new_project_loads_with_the_definitions_alone(new_project: Path, tmp_path: Path) -> None:
    ended = in_sandbox(new_project, tmp_path, "run", "tap-qualyswas", "target-ciscovm")

    assert ended.exit_code == 0, ended.output
    report = json.loads((new_project / "output" / "latest" / "report.json").read_text("utf-8"))
    assert report["outcome"] == "succeeded"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("tap-qualyswas:test", "findings"),
        ("target-ciscovm:verify", "a load can be sent"),
    ],
)
def test_a_new_project_has_the_commands_that_check_both_sides(
    command: str, sentence: str, new_project: Path, tmp_path: Path
) -> None:
    ended = in_sandbox(new_project, tmp_path, "invoke", command)

    assert ended.exit_code == 0, ended.output
    assert sentence in ended.output
