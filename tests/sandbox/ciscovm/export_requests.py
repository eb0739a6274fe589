"""What a data export is asked for: the settings and filters of its request, and the rows it gets.

Parameters that the sandbox does not model are refused: to ignore one would answer another question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import QueryParams

from tests.sandbox.ciscovm import search, shapes
from tests.sandbox.ciscovm.parameters import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.ciscovm.tenant.tenant import Tenant

    Answer = dict[str, object]

_FORMATS: Final = ("json", "jsonl")
_LISTS: Final = {"asset": "assets", "vulnerability": "vulnerabilities", "finding": "findings"}
"""By model, the name of the list in an export of the format `json`."""
_FILTERS: Final = {
    "asset": {"id", "status", "tags", "exclude_child_filter", "q"},
    "vulnerability": {"id", "status", "connector_names", "q"},
    "finding": {"status"},
}
_SEE: Final = "Please check API documentation."


class FieldsError(ValueError):
    """Fields that are refused with HTTP 422; the text is Cisco's."""


@dataclass(frozen=True)
class ExportRequest:
    """A data export that is asked for.

    Attributes:
        fields: of assets, all when there is none; `id` always comes along.
    """

    model: str
    format: str
    fields: tuple[str, ...]
    query: QueryParams

    @property
    def list_name(self) -> str:
        """Return the name of the list of rows."""
        return _LISTS[self.model]

    def rows(self, tenant: Tenant) -> list[Answer]:
        """Return the rows that fit, as the searches show them.

        Raises:
            QueryError: for what cannot be asked.
        """
        if self.model == "asset":
            return [self._picked(row) for row in search.chosen_assets(tenant, self.query)]
        if self.model == "finding":
            return search.chosen_findings(tenant, self.query)
        query = self.query
        if tenant.switches.export_inactive:
            every = [("asset[status][]", name) for name in search.ASSET_STATUS]
            query = QueryParams([*query.multi_items(), *every])
        connectors = tenant.state.connectors
        found = search.chosen_vulnerabilities(tenant, query)
        return [shapes.vulnerability(connectors, asset, merged) for asset, merged in found]

    def _picked(self, row: Answer) -> Answer:
        kept = {"id", *self.fields} if self.fields else row.keys()
        return {name: value for name, value in row.items() if name in kept}


def read(body: object, *, findings: bool) -> ExportRequest:
    """Return what a request's body asks for.

    Args:
        body: as parsed from JSON.
        findings: whether findings can be exported.

    Raises:
        QueryError: for what is refused with HTTP 400.
        FieldsError: for fields that are refused with HTTP 422.
    """
    settings = body.get("export_settings") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(settings, dict):
        msg = "param is missing or the value is empty: export_settings"
        raise QueryError(msg)
    model, form = settings.get("model"), settings.get("format", "jsonl")
    if model not in _FILTERS or (model == "finding" and not findings):
        msg = f"model is not valid: {model}"
        raise QueryError(msg)
    if form not in _FORMATS:
        msg = f"format is not valid: {form}"
        raise QueryError(msg)
    unknown = body.keys() - _FILTERS[model] - {"export_settings"}
    unknown |= settings.keys() - {"model", "format", "fields"}
    if unknown:
        msg = f"not modelled by the sandbox: {', '.join(sorted(unknown))}"
        raise QueryError(msg)
    return ExportRequest(model, form, _fields(settings, model), _query(body))


def _fields(settings: Mapping[str, object], model: str) -> tuple[str, ...]:
    fields = settings.get("fields", [])
    if not isinstance(fields, list) or (fields and model != "asset"):
        msg = f"Requested fields should be an array. {_SEE}"
        raise QueryError(msg)
    names = [str(name) for name in fields]
    wrong = [name for name in names if name not in shapes.ASSET_FIELDS]
    if wrong:
        msg = f"Unable to apply fields {{ {', '.join(wrong)} }} to assets model. {_SEE}"
        raise FieldsError(msg)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        msg = f"Duplicate fields {{ {', '.join(twice)} }} found. {_SEE}"
        raise FieldsError(msg)
    return tuple(names)


def _query(body: Mapping[str, object]) -> QueryParams:
    """Return the filters of a body as a search has them."""
    found: list[tuple[str, str]] = []
    for name, value in body.items():
        if name == "q":
            found.append((name, str(value)))
        elif isinstance(value, list):
            found += [(f"{name}[]", str(one)) for one in value]
        elif name != "export_settings":
            msg = f"{name} must be an array"
            raise QueryError(msg)
    return QueryParams(found)
