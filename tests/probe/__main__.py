"""Ask two real accounts what no public source answers: `python -m tests.probe`. No test calls them.

Qualys is only read. In CVM a scratch Data Importer connector is loaded with made-up assets, and
closed again; this needs `--scratch-connector ID`, a connector that is used for nothing else. The
settings are those of the plugins, from the environment or `.env`. Answers are printed one by one;
none of them holds a secret.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_qualyswas.settings import values as tap_settings
from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.settings import values as target_settings
from target_ciscovm.target import TargetCiscoVM
from tests.probe import ciscovm, qualys
from tests.probe.answers import RefusedError
from tests.probe.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.probe.answers import Answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask what can be asked and print the answers; return 1 when a side refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.probe", description=__doc__)
    parser.add_argument("--qualys", action="store_true", help="ask Qualys (it is only read)")
    parser.add_argument("--scratch-connector", type=int, metavar="ID", help="load this connector")
    options = parser.parse_args(arguments)
    asked: list[Callable[[], Iterator[Answer]]] = []
    if options.scratch_connector:
        asked.append(lambda: ask_ciscovm(options.scratch_connector))
    if options.qualys:
        asked.append(ask_qualys)
    if not asked:
        parser.error("say what to ask: --qualys, --scratch-connector ID, or both")
    return max([print_answers(one) for one in asked])


def print_answers(ask: Callable[[], Iterator[Answer]]) -> int:
    """Print answers as they come; return 1 when the other side refused."""
    try:
        for answer in ask():
            sys.stderr.write(f"{answer}\n")
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def ask_qualys() -> Iterator[Answer]:
    """Ask Qualys.

    Raises:
        RefusedError: without a user name and a password.
    """
    settings = tap_settings.read_settings(TapQualysWAS(parse_env_config=True).config)
    if not settings.has_kb_login:
        msg = "username and password are needed to ask Qualys"
        raise RefusedError(msg)
    yield from qualys.ask(qualys.Account(settings))


def ask_ciscovm(connector_id: int) -> Iterator[Answer]:
    """Ask CVM with a connector that has nothing open.

    Raises:
        RefusedError: without a key, and for a connector that is in use.
    """
    given = {**TargetCiscoVM(parse_env_config=True).config, "connector_id": connector_id}
    login = target_settings.read_settings(given).login
    if login is None:
        msg = "api_key is needed to ask Cisco Vulnerability Management"
        raise RefusedError(msg)
    scratch = Scratch(replace(login, connector_id=connector_id))
    if scratch.is_used():
        msg = f"connector {connector_id} has open vulnerabilities: use a scratch connector"
        raise RefusedError(msg)
    yield from ciscovm.ask(scratch)


if __name__ == "__main__":
    sys.exit(main())
