"""Logs and statements: what is read of them, which client is taken, and what is never shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.smoke.probing import HERE, Engine, project

from hullmark._smoke.probes import forbidden, run_probe, sql
from hullmark._smoke.probes.log import QUOTED, split
from hullmark._smoke.probes.sql import CLIENTS, csv_rows, line_rows
from hullmark.model.probe import LogProbe, LogRule, SqlProbe
from hullmark.model.project import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.project import Project


@dataclass
class _Container:
    """A container with a log and an environment."""

    log: list[bytes] = field(default_factory=list)
    environment: tuple[str, ...] = ()
    image: str = "web:1"
    id: str = "c"
    grows: list[bytes] = field(default_factory=list)
    """What is added to the log each time that it has been read."""

    @property
    def attrs(self) -> dict[str, Any]:
        return {"Config": {"Env": list(self.environment), "Image": self.image}}

    def logs(self, *, stream: bool, follow: bool) -> Iterator[bytes]:
        assert stream
        assert not follow
        yield from tuple(self.log)
        if self.grows:
            self.log.append(self.grows.pop(0))


@dataclass
class _Inside:
    """A stack of which one service has containers."""

    found: list[_Container]
    project: Project = field(default_factory=project)
    engine: Engine = field(default_factory=Engine)

    @property
    def timeline(self) -> Any:
        return SimpleNamespace(services=lambda: [SimpleNamespace(service="web")])

    def containers(self, service: str) -> list[_Container]:
        assert service == "web"
        return self.found

    def container(self, service: str) -> _Container:
        return self.containers(service)[0]


def _stack(*containers: _Container, **more: Any) -> Any:
    return _Inside(found=list(containers), **more)


def _log(pattern: str, timeout: float = 0.3, *, absent: bool = False) -> LogProbe:
    return LogProbe(pattern=pattern, absent=absent, origin=HERE, timeout=timeout)


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b\r\nc", b"\n", b"\nd"], ["ab", "c", "", "d"]),
        ([b"gr\xc3", b"\xbcn\n\xff"], ["gr\u00fcn", "\ufffd"]),
        ([b"x" * (1 << 20), b"y", b"z\n"], [f"{'x' * (1 << 20)}y", "z"]),
        ([], []),
    ],
    ids=["whole", "anywhere", "bytes", "endless", "empty"],
)
def test_lines_of_a_log_are_put_together(chunks: list[bytes], lines: list[str]) -> None:
    assert list(split(iter(chunks))) == lines


@pytest.mark.parametrize(
    ("probe", "passed", "seen"),
    [
        (_log("rea.y"), True, "line 2 of the log is: ready"),
        (_log("done$"), False, "2 lines in the log, none with the pattern"),
        (_log("done$", absent=True), True, "2 lines in the log, none with the pattern"),
        (_log("rea.y", absent=True), False, "line 2 of the log is: ready"),
        (_log("rea.y", timeout=0.0, absent=True), False, "line 2 of the log is: ready"),
    ],
)
def test_a_line_must_be_there_or_must_not(
    probe: LogProbe,
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    run = run_probe(_stack(_Container(log=[b"starting\nrea", b"dy\n"])), "web", probe)
    assert (run.passed, run.seen) == (passed, seen)


def test_a_line_is_waited_for() -> None:
    stack = _stack(_Container(log=[b"a\n"], grows=[b"b\n", b"c\n"]))
    assert run_probe(stack, "web", _log("c", timeout=10.0)).seen == "line 3 of the log is: c"


def test_a_line_that_must_not_come_is_watched_for_as_long_as_is_asked() -> None:
    assert not run_probe(
        _stack(_Container(log=[b"a\n"], grows=[b"b\n"])), "web", _log("b", 3.0, absent=True)
    ).passed
    assert run_probe(
        _stack(_Container(log=[b"a\n"], grows=[b"b\n"])), "web", _log("b", 0.0, absent=True)
    ).passed


def test_every_container_of_a_service_is_looked_at() -> None:
    stack = _stack(_Container(log=[b"a\n"]), _Container(log=[b"b\n"]))
    assert run_probe(stack, "web", _log("b")).passed
    assert run_probe(_stack(), "web", _log("b")).seen == "service `web` has no container"


def _ruled(own: tuple[str, ...], common: tuple[str, ...] = ()) -> Project:
    made = project(("KEY", "s3cret"))
    rules = tuple(LogRule(pattern=pattern, origin=HERE) for pattern in own)
    settings = replace(
        made.settings,
        services=(("web", ServiceSettings(logs=rules)),),
        forbidden_logs=tuple(LogRule(pattern=pattern, origin=HERE) for pattern in common),
    )
    return replace(made, settings=settings)


def test_forbidden_lines_are_counted_and_the_first_of_them_quoted_without_secrets() -> None:
    log = b"".join(b"error %d of s3cret\x1b[0m\n" % number for number in range(QUOTED + 2))
    stack = _stack(_Container(log=[b"fine\n", log]), project=_ruled(("error",), ("Traceback", "^fine$")))
    own, absent, common = forbidden(stack, stack.project)
    assert (own.service, own.rule.pattern, own.count) == ("web", "error", QUOTED + 2)
    assert own.lines[0] == "error 0 of ***\N{REPLACEMENT CHARACTER}[0m"
    assert len(own.lines) == QUOTED
    assert (absent.count, absent.lines) == (0, ())
    assert (common.count, common.lines) == (1, ("fine",))


def test_a_log_that_nobody_has_rules_for_is_not_read() -> None:
    assert forbidden(_stack(_Container()), _ruled(())) == ()
    stack = _stack(project=_ruled(("a",)))
    assert forbidden(stack, stack.project) == ()


# SQL

Ran = list[tuple[tuple[str, ...], dict[str, str]]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """What was run, with its environment; `cat` prints `from-file`, everything else two rows of a database."""
    calls: Ran = []

    def run_apart(
        _: Any, __: str, argv: tuple[str, ...], ___: float, environment: dict[str, str]
    ) -> tuple[int, str, str]:
        calls.append((argv, environment))
        if argv[-1].endswith("wrong"):
            return 1, "", "ERROR: syntax error, password pw1"
        return (
            (127, "", "not found") if argv[-1].endswith("nothing") else (0, "1,a\n2,pw1\n", "NOTICE: hello\n")
        )

    monkeypatch.setattr(sql, "run_apart", run_apart)
    monkeypatch.setattr(sql, "run_inside", lambda *_: (0, "from-file\n"))
    return calls


def _sql(statement: str = "select 1", **more: Any) -> SqlProbe:
    given: dict[str, Any] = {"statement": statement, "origin": HERE, "timeout": 0.2}
    return SqlProbe(**(given | more))


PSQL = ("psql", "--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--set=ON_ERROR_STOP=1", "--no-password")
MYSQL = ("--batch", "--skip-column-names", "--connect-timeout=5")


@pytest.mark.parametrize(
    ("environment", "image", "argv", "told"),
    [
        (
            ("POSTGRES_USER=u", "POSTGRES_PASSWORD=pw1", "POSTGRES_DB=d"),
            "shop-db",
            (*PSQL, "--username=u", "--dbname=d", "--command=select 1"),
            {"PGPASSWORD": "pw1", "PGHOST": "127.0.0.1"},
        ),
        (
            ("PG_MAJOR=17",),
            "shop-db",
            (*PSQL, "--username=postgres", "--dbname=postgres", "--command=select 1"),
            {},
        ),
        (
            ("POSTGRES_PASSWORD_FILE=/run/secrets/pw",),
            "shop-db",
            (*PSQL, "--username=postgres", "--dbname=postgres", "--command=select 1"),
            {"PGPASSWORD": "from-file", "PGHOST": "127.0.0.1"},
        ),
        (
            (),
            "pgvector/pgvector:pg17",
            (*PSQL, "--username=postgres", "--dbname=postgres", "--command=select 1"),
            {},
        ),
        (
            ("MYSQL_ROOT_PASSWORD=pw1", "MYSQL_DATABASE=d"),
            "shop-db",
            ("mysql", *MYSQL, "--user=root", "--database=d", "--execute=select 1"),
            {"MYSQL_PWD": "pw1"},
        ),
        (
            ("MYSQL_ROOT_PASSWORD=pw0", "MYSQL_USER=u", "MYSQL_PASSWORD=pw1", "MARIADB_VERSION=11"),
            "shop-db",
            ("mariadb", *MYSQL, "--user=u", "--execute=select 1"),
            {"MYSQL_PWD": "pw1"},
        ),
    ],
)
def test_the_client_and_its_login_come_from_the_container(
    ran: Ran, environment: tuple[str, ...], image: str, argv: tuple[str, ...], told: dict[str, str]
) -> None:
    run = run_probe(_stack(_Container(environment=environment, image=image)), "web", _sql())
    assert run.passed
    ((called, given),) = ran
    assert called == argv
    assert {name: text for name, text in given.items() if name != "PGCONNECT_TIMEOUT"} == told


def test_what_the_probe_says_of_the_login_counts_more(ran: Ran) -> None:
    probe = _sql(client="sqlite3", database="/data/a.db", user="x")
    run_probe(_stack(_Container(environment=("POSTGRES_USER=u",))), "web", probe)
    assert ran[0][0] == ("sqlite3", "-batch", "-bail", "-csv", "-noheader", "/data/a.db", "select 1")


@pytest.mark.parametrize(
    ("probe", "passed", "seen"),
    [
        (_sql(), True, "2 rows: 1,a 2,***"),
        (_sql(rows=2, text="a"), True, "2 rows: 1,a 2,***"),
        (_sql(rows=1), False, "2 rows: 1,a 2,***"),
        (_sql(text="b"), False, "2 rows: 1,a 2,*** (without `b`)"),
        (_sql("wrong"), False, "exit code 1: ERROR: syntax error, password ***"),
        (_sql("nothing"), False, "`psql` cannot be run: not found"),
        (_sql(client="sqlite3"), False, "for `sqlite3`, `database` must say in which file the database is"),
    ],
)
def test_a_statement_passes_or_says_why_not(
    ran: Ran,
    probe: SqlProbe,
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    del ran
    run = run_probe(_stack(_Container(environment=("POSTGRES_PASSWORD=pw1",))), "web", probe)
    assert (run.passed, run.seen) == (passed, seen)


def test_a_container_that_does_not_say_which_client_is_told_at_once(ran: Ran) -> None:
    run = run_probe(_stack(_Container()), "web", _sql(timeout=600.0))
    names = ", ".join(f'`client = "{name}"`' for name in CLIENTS)
    assert run.seen == f"neither the image nor the environment of `web` says which client to use: {names}"
    assert not ran
    assert run.seconds < 300


@pytest.mark.parametrize(
    ("output", "rows"),
    [("", 0), ("1\n", 1), ("\n", 1), ('"a\nb",2\n3,4\n', 2), ("a\n\n\nb\n", 4), ('"say ""x"""\n', 1)],
)
def test_rows_of_csv_are_counted_and_not_its_lines(output: str, rows: int) -> None:
    assert csv_rows(output) == rows


def test_rows_of_batch_output_are_its_lines() -> None:
    assert [line_rows(text) for text in ("", "1\t2\n", "\n\n")] == [0, 1, 2]
