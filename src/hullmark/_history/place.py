"""Where a history is kept: a file of the user, or a database of the team."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from hullmark._files import data_directory
from hullmark.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark.model.project import Project

PASSWORD = "HULLMARK_HISTORY_PASSWORD"  # noqa: S105  # the name of a variable
_ENVIRONMENT = "environment variable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One history."""

    project: str
    """Whose records are meant, of a database that may have those of several projects."""
    file: Path | None = None
    """Of SQLite."""
    named: bool = False
    """Whether somebody has said which file it is, and may have been wrong."""
    url: str = field(default="", repr=False)
    """Of PostgreSQL, as it was configured, which may hold a password."""
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return str(self.file) if self.file else self.without_password(self.url)

    def without_password(self, text: str) -> str:
        """`text` with every password in it taken out."""
        text = re.sub(r"(postgres(?:ql)?://[^:@/\s]*):\S*@", r"\1@", text)
        text = re.sub(r"\b(password=)[^&\s]*", r"\1***", text)
        return text.replace(self.password, "***") if self.password else text


def place_of(project: Project, environ: Mapping[str, str]) -> Place:
    """Where the history of `project` is: at `url` of `[history]`, or in a file of the user's for its directory.

    Raises `ConfigurationError` for a password in a file or in an argument, where others read it, and `Unavailable`
    where there is no home, or what is needed is not installed.
    """
    url = project.settings.history.url
    if find_spec("sqlalchemy") is None:
        raise Unavailable(
            "a history needs SQLAlchemy, which is not installed", hint="pip install 'hullmark[history]'"
        )
    if url is None:
        directory = data_directory(environ)
        if directory is None:
            raise Unavailable(
                "there is no place for a history: neither HOME nor HULLMARK_DATA_DIR is set",
                hint="set `url` of `[history]`",
            )
        root = hashlib.sha256(str(project.root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
        file = directory / "history" / f"{project.name}-{root[:12]}.sqlite"
        return Place(project=project.name, file=file)
    if url.startswith("sqlite:"):
        path = url.removeprefix("sqlite:").removeprefix("///")
        return Place(project=project.name, file=project.root / path, named=True)
    origin = dict(project.settings.origins).get("history.url", "")
    try:
        own = urlsplit(url).password
    except ValueError as error:
        raise ConfigurationError([f"{origin}: the address of the history is none: {error}"]) from None
    if (own or "password=" in url) and not origin.startswith(_ENVIRONMENT):
        raise ConfigurationError(
            [f"{origin}: a password must not stand there"],
            hint=f"take it out of the address, and put it into the environment variable {PASSWORD}",
        )
    if find_spec("psycopg") is None:
        raise Unavailable(
            "a history in PostgreSQL needs psycopg, which is not installed",
            hint="pip install 'hullmark[postgresql]'",
        )
    told = environ.get(PASSWORD) or environ.get("PGPASSWORD")
    return Place(project=project.name, url=url, password=unquote(own) if own else told or None)
