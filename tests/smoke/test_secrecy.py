"""What is shown of a stack holds none of its secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hullmark._smoke.secrecy import Discreet, Secrecy, marker
from hullmark.model.drill import Drill, DrillRun, Exempt, Failed, Passed, Undrilled
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check
from hullmark.model.probe import HttpProbe, LogRule
from hullmark.model.progress import Silent
from hullmark.model.service_run import ServiceRun, State
from hullmark.model.stack import LogRun, ProbeRun, StackRun, StepRun, UntriedProbe
from hullmark.model.stack_copy import StackCopy


def _copy(**service: Any) -> StackCopy:
    return StackCopy(
        name="hullmark-shop-1",
        configuration=json.dumps(
            {
                "x-database": {"PGPASSWORD": "hunter22"},
                "services": {"web": {"image": "shop-web:dev", **service}},
                "configs": {"site": {"content": "token = t0psecret"}},
                "secrets": {"key": {"file": "./key.txt"}},
                "volumes": {"data": {"driver_opts": {"o": "username=u,password=p"}}, "x-archive": None},
            }
        ),
    )


def test_no_value_of_an_environment_is_shown_and_its_length_is() -> None:
    copy = _copy(environment={"PGPASSWORD": "hunter22", "MODE": "production", "EMPTY": "", "UNSET": None})
    shown = Secrecy.of(copy).configuration(copy)
    assert shown["services"]["web"]["environment"] == {
        "PGPASSWORD": "<hidden, 8 characters>",
        "MODE": "<hidden, 10 characters>",
        "EMPTY": "<hidden, 0 characters>",
        "UNSET": None,
    }


def test_extensions_contents_and_options_of_drivers_are_not_shown_and_names_are() -> None:
    copy = _copy(logging={"driver": "splunk", "options": {"splunk-token": "abc"}}, **{"x-note": "hunter22"})
    shown = Secrecy.of(copy).configuration(copy)
    assert "x-database" not in shown
    assert shown["services"]["web"] == {
        "image": "shop-web:dev",
        "logging": {"driver": "splunk", "options": {"splunk-token": "<hidden, 3 characters>"}},
    }
    assert shown["configs"]["site"]["content"] == marker("token = t0psecret")
    assert shown["secrets"]["key"] == {"file": "./key.txt"}
    assert shown["volumes"] == {"data": {"driver_opts": {"o": "<hidden, 21 characters>"}}, "x-archive": None}


@pytest.mark.parametrize(
    "name",
    ["PGPASSWORD", "DB_PASS", "API_KEY", "apikey", "AUTH_TOKEN", "SECRET", "SENTRY_DSN", "PRIVATE_PEM"],
)
def test_what_a_name_calls_secret_is_taken_out_everywhere(name: str) -> None:
    copy = _copy(
        environment={name: "hunter22"}, command=["serve", "--key=hunter22"], labels={"hunter22": "it"}
    )
    secrecy = Secrecy.of(copy)
    assert "hunter22" not in json.dumps(secrecy.configuration(copy))
    assert secrecy.text("login with hunter22!") == "login with <hidden, 8 characters>!"


@pytest.mark.parametrize("name", ["MONKEY", "KEYBOARD_LAYOUT", "COMPASS_", "AUTHOR"])
def test_a_name_that_only_sounds_like_it_hides_nothing_elsewhere(name: str) -> None:
    secret = Secrecy.of(_copy(environment={name: "value"}))
    assert secret.text("value") == ("<hidden, 5 characters>" if "PASS" in name else "value")


def test_a_password_in_an_address_is_one() -> None:
    copy = _copy(environment={"DATABASE_URL": "postgres://me:s3cr3t@db/shop"})
    assert Secrecy.of(copy).text("FATAL: s3cr3t is wrong") == "FATAL: <hidden, 6 characters> is wrong"


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    secrecy = Secrecy.of(_copy(environment={"A_TOKEN": "abcd", "B_TOKEN": "abcdefgh"}))
    assert secrecy.text("abcdefgh") == "<hidden, 8 characters>"


def test_what_is_short_or_told_by_names_anyway_is_not_looked_for() -> None:
    secrecy = Secrecy.of(_copy(environment={"A_TOKEN": "abc", "POSTGRES_PASSWORD": "shop"}))
    assert secrecy.words == ()


def test_what_the_engine_says_of_a_container_has_no_environment() -> None:
    copy = _copy(environment={"PGPASSWORD": "hunter22"})
    attributes = {"Config": {"Env": ["PGPASSWORD=hunter22", "BARE"], "Cmd": ["--p=hunter22"]}, "Pid": 7}
    assert Secrecy.of(copy).inspection(attributes) == {
        "Config": {
            "Env": ["PGPASSWORD=<hidden, 8 characters>", "BARE"],
            "Cmd": ["--p=<hidden, 8 characters>"],
        },
        "Pid": 7,
    }
    assert attributes["Config"]["Env"] == ["PGPASSWORD=hunter22", "BARE"]  # type: ignore[index]


def test_what_services_wrote_and_answered_is_reported_without_secrets() -> None:
    span = SourceSpan(path="compose.yml")
    said = "password is hunter22"
    probe = HttpProbe(path="/", port=80, origin=span)
    run = StackRun(
        name="hullmark-shop-1",
        services=(
            ServiceRun(
                service="web",
                span=span,
                state=State.EXITED,
                has_health_check=True,
                health_output=said,
                log=(said,),
                refusal=said,
            ),
        ),
        probes=(
            ProbeRun(
                service="web",
                probe=probe,
                passed=False,
                seen=said,
                steps=(StepRun(step="GET /", passed=False, seen=said),),
            ),
        ),
        unprobed=(UntriedProbe(service="web", probe=probe, reason=said),),
        drills=tuple(
            DrillRun(drill=Drill.KILL, service="web", span=span, result=result)
            for result in (
                Passed(seen=said, missed=(said,)),
                Failed(seen=said, remedy=said, key=said),
                Exempt(reason=said),
                Undrilled(error=said),
            )
        ),
        logs=(LogRun(service="web", rule=LogRule(pattern="password", origin=span), count=1, lines=(said,)),),
    )
    shown = Secrecy.of(_copy(environment={"PGPASSWORD": "hunter22"})).run(run)
    assert "hunter22" not in repr(shown)
    assert repr(shown).count(marker("hunter22")) == repr(run).count("hunter22") == 14
    assert Secrecy(words=()).run(run) == run


def test_what_goes_on_is_told_without_secrets() -> None:
    told: list[str] = []

    class Told(Silent):
        def begin(self, check: Check, service: str | None, text: str) -> None:  # noqa: ARG002  # the protocol's
            told.append(text)

        def end(self, check: Check, service: str | None, text: str, *, good: bool) -> None:  # noqa: ARG002
            told.append(text)

    discreet = Discreet(progress=Told(), secrecy=Secrecy(words=("hunter22",)))
    discreet.begin(Check.SMOKE, "web", "drill kill hunter22")
    discreet.end(Check.SMOKE, "web", "it said hunter22", good=False)
    assert told == [f"drill kill {marker('hunter22')}", f"it said {marker('hunter22')}"]
