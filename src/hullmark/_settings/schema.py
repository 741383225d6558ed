"""The JSON Schema of hullmark.toml, derived from the options, for editors that complete and check while one types.

Two things the loader refuses cannot be said in JSON Schema, because TOML has types that JSON has not: a date in
quotes, and a whole number with a decimal point. Nor can sizes and durations be compared with their limits.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import TYPE_CHECKING, Any

from hullmark._settings.options import SCHEMA

if TYPE_CHECKING:
    from hullmark._settings.kinds import Alternative, Option, Table


def settings_schema() -> dict[str, Any]:
    """The schema of a `hullmark.toml`, and of `[tool.hullmark]` in a `pyproject.toml`, per JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hullmark.toml",
        **_table(SCHEMA),
    }


def _table(table: Table) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": table.help, "type": "object"}
    properties = {option.key: _option(option) for option in table.options}
    properties |= {child.key: _child(child) for child in table.tables if child.key != "*"}
    if properties:
        schema["properties"] = properties
    if required := [option.key for option in table.options if option.required]:
        schema["required"] = required
    named_by_user = [_child(child) for child in table.tables if child.key == "*"]
    schema["additionalProperties"] = named_by_user[0] if named_by_user else False
    if table.alternatives:
        schema["oneOf"] = [_alternative(one, table.alternatives) for one in table.alternatives]
    return schema


def _child(table: Table) -> dict[str, Any]:
    if not table.array:
        return _table(table)
    schema = {"description": table.help, "type": "array", "items": _table(table)}
    return {**schema, "minItems": 1} if table.filled else schema


def _option(option: Option) -> dict[str, Any]:
    description = f"{option.help} Default: {option.default}." if option.default else option.help
    schema = {"description": description, **option.kind.schema}
    if option.example:
        schema["examples"] = [_json(tomllib.loads(f"x = {option.example}")["x"])]
    return schema


def _alternative(one: Alternative, all_of_them: tuple[Alternative, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {"required": [one.key, *one.needs]}
    foreign = [key for other in all_of_them if other is not one for key in (other.key, *other.own)]
    # `oneOf` alone would say that two of them do not fit, but not which of the keys beside them is wrong.
    properties: dict[str, Any] = {}
    for key in dict.fromkeys(foreign):
        if key not in one.own:
            table, _, inner = key.partition(".")
            if inner:
                properties.setdefault(table, {"properties": {}})["properties"][inner] = False
            else:
                properties[key] = False
    schema["properties"] = properties
    return schema


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
