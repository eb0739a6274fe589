"""The command `target-ciscovm`, also as `python -m target_ciscovm`."""

from __future__ import annotations

import gc

from qualyswas_ciscovm.errors import end_at_signals


def main() -> None:
    """Run the command.

    What is imported stays until the process ends. The garbage collector would go through it several
    times, the last time at the end, which takes a fifth of a start.
    """
    end_at_signals()
    gc.disable()
    from target_ciscovm.target import TargetCiscoVM  # noqa: PLC0415 - while the collector rests

    gc.freeze()
    gc.enable()
    TargetCiscoVM.cli()


if __name__ == "__main__":
    main()
