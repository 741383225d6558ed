"""What the JSON reports share: how they are written down, and how their schemas are."""

from __future__ import annotations

from typing import Any

import msgspec

from hullmark.model.text import readable


def written(described: msgspec.Struct) -> str:
    """`described` as a JSON document that people can read as well; what is not UTF-8 in it is replaced."""
    try:
        text = msgspec.json.encode(described)
    except UnicodeEncodeError:  # a file name in an image need not be UTF-8, and JSON must be
        text = msgspec.json.encode(_readable(msgspec.to_builtins(described)))
    return msgspec.json.format(text, indent=2).decode() + "\n"


def schema_of(described: type[msgspec.Struct], title: str) -> dict[str, Any]:
    """The JSON Schema of what `written` makes of values of the type `described`."""
    schema = msgspec.json.schema(described)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    return schema


def _readable(value: Any) -> Any:
    match value:
        case str():
            return readable(value)
        case dict():
            return {_readable(key): _readable(each) for key, each in value.items()}
        case list():
            return [_readable(each) for each in value]
        case _:
            return value
