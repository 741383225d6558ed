"""A statement through the client in the database's own container, with what its environment says of users."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._smoke.probes.attempt import Answer
from hullmark._smoke.probes.command import run_apart, run_inside
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._smoke.probes.filling import Filling
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import SqlProbe

_NO_SUCH_PROGRAM = frozenset({126, 127})


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who speaks to which database."""

    user: str = ""
    database: str = ""
    password: str = field(default="", repr=False)
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What the client is told of it without showing it in a list of processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that executes statements."""

    name: str
    signs: tuple[str, ...]
    """How variables begin that the images of its database set or take."""
    words: tuple[str, ...]
    """Parts of the names of such images."""
    login: Callable[[Mapping[str, str]], Login]
    """From the container's environment."""
    command: Callable[[Login, str], tuple[str, ...]]
    rows: Callable[[str], int]
    """How many rows its output has."""


def query(stack: Stack, service: str, probe: SqlProbe, filling: Filling, left: float) -> Answer | None:
    """Whether the statement is executed and brings what is expected; `None` when that takes longer than `left` seconds.

    Raises `Unavailable` when the container does not run.
    """
    container = stack.container(service)
    config = container.attrs["Config"]
    environment = dict(each.partition("=")[::2] for each in config.get("Env") or ())
    client = _client(probe.client, environment, str(config.get("Image", "")))
    if client is None:
        names = ", ".join(f'`client = "{name}"`' for name in CLIENTS)
        seen = f"neither the image nor the environment of `{service}` says which client to use: {names}"
        return Answer(passed=False, seen=seen, final=True)
    login = client.login(_with_secret_files(stack, service, environment, left))
    login = Login(
        user=probe.user or login.user,
        database=probe.database or login.database,
        password=login.password,
        environment=login.environment,
    )
    statement = filling.captures(probe.statement)
    code, output, told = run_apart(
        stack, service, client.command(login, statement), left, dict(login.environment)
    )
    if code is None:
        return None
    if login.password:
        output, told = (each.replace(login.password, "***") for each in (output, told))
    if code in _NO_SUCH_PROGRAM:
        why = filling.quote(told or output)
        return Answer(passed=False, seen=f"`{client.name}` cannot be run: {why}", final=True)
    if code != 0:
        return Answer(passed=False, seen=f"exit code {code}: {filling.quote(told or output)}", body=output)
    rows = client.rows(output)
    shown = f": {filling.quote(output)}" if output.strip() else ""
    seen = f"{rows} row{'' if rows == 1 else 's'}{shown}"
    if probe.rows is not None and rows != probe.rows:
        return Answer(passed=False, seen=seen, body=output)
    if probe.text is not None and filling.captures(probe.text) not in output:
        return Answer(passed=False, seen=f"{seen} (without `{probe.text}`)", body=output)
    return Answer(passed=True, seen=seen, body=output)


def _client(name: str | None, environment: Mapping[str, str], image: str) -> Client | None:
    """The client called `name`, or the one that environment and image speak of, if they speak of one."""
    if name is not None:
        return CLIENTS[name]
    for client in CLIENTS.values():
        if any(variable.startswith(client.signs) for variable in environment if client.signs):
            return client
    return next((each for each in CLIENTS.values() if any(word in image for word in each.words)), None)


def _with_secret_files(
    stack: Stack, service: str, environment: dict[str, str], left: float
) -> dict[str, str]:
    """`environment` with the contents of the files that stand in it for passwords, as Compose's secrets do."""
    found = dict(environment)
    for name, path in environment.items():
        plain = name.removesuffix("_FILE")
        if plain != name and plain in _PASSWORDS and plain not in environment:
            code, output = run_inside(stack, service, ("cat", path), left)
            if code == 0:
                found[plain] = output.strip()
    return found


def _first(environment: Mapping[str, str], *names: str, otherwise: str = "") -> str:
    return next((environment[name] for name in names if environment.get(name)), otherwise)


def _postgres(environment: Mapping[str, str]) -> Login:
    user = _first(environment, "PGUSER", "POSTGRES_USER", "POSTGRESQL_USER", otherwise="postgres")
    password = _first(environment, "PGPASSWORD", "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD")
    database = _first(environment, "PGDATABASE", "POSTGRES_DB", "POSTGRESQL_DATABASE", otherwise=user)
    # By TCP a password always does; through the socket the server may ask who the process is.
    told = (
        ("PGPASSWORD", password),
        ("PGHOST", environment.get("PGHOST") or ("127.0.0.1" if password else "")),
        ("PGCONNECT_TIMEOUT", "5"),
    )
    given = tuple((name, value) for name, value in told if value)
    return Login(user=user, database=database, password=password, environment=given)


def _psql(login: Login, statement: str) -> tuple[str, ...]:
    options = ("--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--set=ON_ERROR_STOP=1", "--no-password")
    return (
        "psql",
        *options,
        f"--username={login.user}",
        f"--dbname={login.database}",
        f"--command={statement}",
    )


def _mysql(environment: Mapping[str, str]) -> Login:
    user = _first(environment, "MYSQL_USER", "MARIADB_USER")
    password = _first(environment, "MYSQL_PASSWORD", "MARIADB_PASSWORD") if user else ""
    if not password:
        user, password = "root", _first(environment, "MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD")
    database = _first(environment, "MYSQL_DATABASE", "MARIADB_DATABASE")
    given = (("MYSQL_PWD", password),) if password else ()
    return Login(user=user, database=database, password=password, environment=given)


def _mysql_like(name: str) -> Callable[[Login, str], tuple[str, ...]]:
    def command(login: Login, statement: str) -> tuple[str, ...]:
        where = (f"--database={login.database}",) if login.database else ()
        options = ("--batch", "--skip-column-names", "--connect-timeout=5")
        return (name, *options, f"--user={login.user}", *where, f"--execute={statement}")

    return command


def _sqlite(login: Login, statement: str) -> tuple[str, ...]:
    if not login.database:
        raise Unavailable("for `sqlite3`, `database` must say in which file the database is")
    return ("sqlite3", "-batch", "-bail", "-csv", "-noheader", login.database, statement)


def csv_rows(output: str) -> int:
    """The rows of a CSV text; a line without anything is a row with one empty value."""
    return len(list(csv.reader(io.StringIO(output, newline=""))))


def line_rows(output: str) -> int:
    """The rows of a text in which each is a line."""
    return output.count("\n")


_PASSWORDS = frozenset(
    f"{prefix}_{word}"
    for prefix in ("POSTGRES", "POSTGRESQL", "MYSQL", "MARIADB")
    for word in ("PASSWORD", "ROOT_PASSWORD")
)
CLIENTS = {
    client.name: client
    for client in (
        Client(
            name="psql",
            signs=("POSTGRES_", "POSTGRESQL_", "PGDATA", "PG_MAJOR"),
            words=("postgres", "pgvector", "timescale", "postgis"),
            login=_postgres,
            command=_psql,
            rows=csv_rows,
        ),
        Client(
            name="mariadb",
            signs=("MARIADB_",),
            words=("mariadb",),
            login=_mysql,
            command=_mysql_like("mariadb"),
            rows=line_rows,
        ),
        Client(
            name="mysql",
            signs=("MYSQL_",),
            words=("mysql", "percona"),
            login=_mysql,
            command=_mysql_like("mysql"),
            rows=line_rows,
        ),
        Client(
            name="sqlite3",
            signs=(),
            words=(),
            login=lambda _: Login(),
            command=_sqlite,
            rows=csv_rows,
        ),
    )
}
