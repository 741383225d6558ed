"""Changing one value of a configuration file, and nothing else of it: comments, order and layout stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hullmark._settings.load import FILE
from hullmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def configuration_file(root: Path) -> tuple[Path, tuple[str, ...]]:
    """The file that the configuration of the project in `root` stands in, and the table it is below.

    A `hullmark.toml` that is not there yet, where no file has any.
    """
    own, shared = root / FILE, root / "pyproject.toml"
    if (
        not own.exists()
        and shared.exists()
        and "[tool.hullmark" in shared.read_text("utf-8", errors="replace")
    ):
        return shared, ("tool", "hullmark")
    return own, ()


def with_values(text: str, name: str, values: Mapping[Sequence[str], Any]) -> str:
    """`text` with each value at its path set; tables that are not there are added at the end.

    Raises `ConfigurationError`, calling the file `name`, when it cannot be read.
    """
    import tomlkit  # noqa: PLC0415  # only where a file is written
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document = tomlkit.parse(text)
        for path, value in values.items():
            *tables, key = path
            place: Any = document
            for table in tables:
                if table not in place:
                    place[table] = tomlkit.table(is_super_table=table != tables[-1])
                place = place[table]
            # The item that is replaced hands its comment on.
            kept = place[key].trivia.comment if key in place else ""
            place[key] = value
            if kept:
                place[key].comment(kept.lstrip("# "))
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise ConfigurationError([f"{name}: cannot be changed: {error}"]) from error
