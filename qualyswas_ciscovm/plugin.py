"""The shell of both plugins: settings read with care, files with secrets looked at."""

from __future__ import annotations

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import PluginBase

from qualyswas_ciscovm.endings import Command, Ending
from qualyswas_ciscovm.errors import SETTINGS_EXIT
from qualyswas_ciscovm.secret_files import filled_in_secrets, readable_secrets, secrets
from qualyswas_ciscovm.settings import coerce, from_environment, unknown_variables, wrapped

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import click
    from typing_extensions import Self


PACKAGE: Final = "qualyswas-ciscovm"


@cache
def package_version() -> str:
    """Give the version of the package that both plugins come in; `0` where it is not installed."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "0"


class Plugin(PluginBase):
    """Comes before `Tap` or `Target` among the bases of a plugin.

    The SDK's own reading of settings ends in a trace back on a wrong value, and shows secrets.
    """

    package_name = PACKAGE

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        **kwargs: Any,  # noqa: ANN401 - the SDK's own
    ) -> None:
        self.append_builtin_config(self.config_jsonschema)
        given = self._given(config, from_variables=parse_env_config)
        typed, problems = coerce(given, self.config_jsonschema)
        if problems and validate_config:
            msg = "Config validation failed"
            raise ConfigValidationError(msg, errors=problems, schema=self.config_jsonschema)
        unknown = set(typed) - set(self.config_jsonschema["properties"])
        if parse_env_config:
            unknown |= unknown_variables(self.config_jsonschema, self.env_prefix())
        if unknown:
            names = ", ".join(sorted(unknown))
            self.logger.warning("Ignoring unknown settings: %s. Check the spelling.", names)
        for warning in wrapped(typed, ("username", *secrets(self.config_jsonschema))):
            self.logger.warning("%s", warning)
        super().__init__(config=typed, validate_config=validate_config, **kwargs)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # Only what lies in an object has not been checked by `coerce`. The SDK's check of all of it
        # takes longer than all else that it does with the settings.
        if any(isinstance(value, dict) for value in self._config.values()):
            return super()._validate_config(raise_errors=raise_errors)
        return []

    @classmethod
    def env_prefix(cls) -> str:
        """Give what the environment variables of the settings begin with."""
        return cls.name.upper().replace("-", "_") + "_"

    @classmethod
    def from_command(cls, config: Any, **kwargs: Any) -> Self:  # noqa: ANN401 - the SDK's own types
        """Make the plugin that a command line asks for.

        Args:
            config: what the SDK made of the `--config` options; None without any.
            kwargs: further arguments of the plugin.
        """
        return cls(
            config=config.config if config else None,
            parse_env_config=bool(config and config.parse_env),
            **kwargs,
        )

    @classmethod
    def given(cls, config: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own types
        """Give the settings of a command line as they came, right or wrong."""
        if not config:
            return {}
        return cls._given(config.config, from_variables=bool(config.parse_env))

    @classmethod
    def _given(cls, config: dict[str, Any] | None, *, from_variables: bool) -> dict[str, Any]:
        given = dict(config or {})
        if from_variables:
            given |= from_environment(cls.config_jsonschema, cls.env_prefix())
        return given

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        made = super().get_singer_command()
        return Command(
            made.name,
            callback=made.callback,
            context_settings=made.context_settings,
            params=made.params,
            help=made.help,
            logger=cls.logger,
        )

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        try:
            Path.cwd()  # `.env` is looked for from there
        except OSError:
            msg = "The current folder no longer exists. Change to one that does, and run again."
            raise Ending(msg, SETTINGS_EXIT, cls.logger) from None
        schema, prefix = cls.config_jsonschema, cls.env_prefix()
        for warning in readable_secrets(schema, prefix, value) + filled_in_secrets(schema, prefix):
            cls.logger.warning("%s", warning)
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, RecursionError, ValueError, TypeError):
            msg = f"A config file cannot be read or is not a JSON object: {', '.join(value)}."
            raise Ending(msg, SETTINGS_EXIT, cls.logger) from None
