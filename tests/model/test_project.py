"""What a project promises and what it has decided to live with."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hullmark.model.finding import Finding, Severity
from hullmark.model.location import SourceSpan
from hullmark.model.probe import ExecProbe, HttpProbe, TcpProbe
from hullmark.model.project import (
    AnyUser,
    Ignore,
    Link,
    Project,
    Service,
    ServiceSettings,
    Settings,
)

if TYPE_CHECKING:
    from hullmark.model.probe import Probe

HERE = SourceSpan(path="hullmark.toml")
LAST = dt.date(2027, 6, 30)


def _finding(rule: str, service: str | None, *aliases: str) -> Finding:
    return Finding(
        rule=rule,
        summary="",
        severity=Severity.ERROR,
        service=service,
        location=HERE,
        seen="",
        expected="",
        remedy="",
        fingerprint="",
        aliases=aliases,
    )


@pytest.mark.parametrize(
    ("rule", "service", "today", "covered"),
    [
        ("root-user", "db", LAST - dt.timedelta(days=1), True),
        ("root-user", "db", LAST, True),
        ("root-user", "db", LAST + dt.timedelta(days=1), False),
        ("root-user", "web", LAST, False),
        ("root-user", None, LAST, False),
        ("other", "db", LAST, False),
    ],
)
def test_an_ignore_holds_for_its_rule_and_service_up_to_and_on_its_last_day(
    rule: str, service: str | None, today: dt.date, *, covered: bool
) -> None:
    ignore = Ignore(rule="root-user", service="db", reason="r", expires=LAST, origin=HERE)
    assert ignore.covers(_finding(rule, service), today) is covered
    assert ignore.covers(_finding("DL1", service, rule), today) is covered


@pytest.mark.parametrize("service", ["db", "web", None])
def test_an_ignore_without_service_and_date_holds_everywhere_and_for_ever(service: str | None) -> None:
    ignore = Ignore(rule="root-user", service=None, reason="r", expires=None, origin=HERE)
    assert ignore.covers(_finding("root-user", service), dt.date.max)


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        (HttpProbe(path="/health", port=80, origin=HERE), "GET /health at port 80"),
        (
            HttpProbe(path="/", port=443, tls="verify", method="HEAD", origin=HERE),
            "HEAD / at port 443 over TLS",
        ),
        (HttpProbe(path="/", port=443, tls="insecure", origin=HERE), "GET / at port 443 over TLS"),
        (TcpProbe(port=5432, origin=HERE), "TCP connection to port 5432"),
        (ExecProbe(command=("pg_isready", "-q"), origin=HERE), "exec pg_isready -q"),
    ],
)
def test_a_probe_says_what_it_asks(probe: Probe, text: str) -> None:
    assert str(probe) == text


def test_a_link_says_who_calls_whom() -> None:
    assert str(Link(from_service="web", to="tcp://db:5432", origin=HERE)) == "web -> tcp://db:5432"


def test_a_service_that_the_settings_do_not_mention_promises_nothing() -> None:
    mine = ServiceSettings(origin=HERE)
    settings = Settings(services=(("db", mine),))
    assert settings.service("db") is mine
    assert settings.service("web") == ServiceSettings(user=AnyUser())


def _service(name: str, **options: object) -> Service:
    return Service(name=name, image="x", build=None, span=HERE, **options)  # type: ignore[arg-type]


def test_one_shots_are_what_others_wait_for_to_complete() -> None:
    project = Project(
        name="tale",
        root=Path("/tale"),
        services=(
            _service("db"),
            _service("migrate", depends_on=(("db", "service_healthy"),)),
            _service(
                "web", depends_on=(("db", "service_started"), ("migrate", "service_completed_successfully"))
            ),
        ),
        settings=Settings(),
        resolved="{}",
    )
    assert project.one_shots == {"migrate"}
    assert project.service("web").name == "web"
    assert project.built == ()
    with pytest.raises(KeyError, match="nope"):
        project.service("nope")


def test_a_project_shown_in_a_traceback_does_not_show_its_secrets() -> None:
    project = Project(
        name="tale", root=Path("/tale"), services=(), settings=Settings(), resolved='{"password": "hunter2"}'
    )
    assert "hunter2" not in repr(project)
