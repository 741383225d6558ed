"""What a run decides without an engine: who may complete, who belongs to whom, and what is said when it goes away."""

from __future__ import annotations

import importlib
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hullmark._smoke.reap import remove_run
from hullmark._smoke.stack import Stack, may_complete
from hullmark._smoke.timeline import Timeline
from hullmark.errors import Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.probe import HttpProbe
from hullmark.model.project import Project, Service, ServiceSettings, Settings
from hullmark.model.service_run import State
from hullmark.model.stack_copy import StackCopy

SPAN = SourceSpan(path="compose.yml", line=1)


def _service(name: str, *depends_on: tuple[str, str], **more: Any) -> Service:
    return Service(name=name, image=f"{name}:dev", build=None, span=SPAN, depends_on=depends_on, **more)


def _project(*services: Service, **settings: Any) -> Project:
    return Project(
        name="shop", root=Path("/shop"), services=services, settings=Settings(**settings), resolved="{}"
    )


@pytest.mark.parametrize(
    ("service", "may"),
    [
        (_service("job"), True),
        (_service("job", restarts=True), True),
        (_service("job", restarts=True, restarts_when_done=True), False),
        (_service("job", ports=(80,)), False),
    ],
)
def test_exiting_is_success_for_what_serves_nobody(service: Service, may: bool) -> None:  # noqa: FBT001
    assert ("job" in may_complete(_project(service))) is may


def test_exiting_is_success_for_what_others_wait_for_to_complete_and_for_nothing_else_that_they_need() -> (
    None
):
    project = _project(
        _service("job", ports=(80,)),
        _service("db"),
        _service("web", ("job", "service_completed_successfully"), ("db", "service_healthy"), ports=(80,)),
    )
    assert may_complete(project) == {"job"}


def test_exiting_is_no_success_for_what_is_probed() -> None:
    probe = HttpProbe(path="/", port=80, origin=SPAN)
    assert not may_complete(_project(_service("web"), services=(("web", ServiceSettings(probes=(probe,))),)))


def test_a_service_brings_all_that_it_needs() -> None:
    project = _project(
        _service("a", ("b", "service_started"), ("c", "service_started")),
        _service("b", ("d", "service_started")),
        _service("c", ("d", "service_started")),
        _service("d"),
        _service("e", ("a", "service_started")),
    )
    assert project.needed(("a",)) == ("a", "b", "c", "d")
    assert project.needed(("d", "b")) == ("b", "d")
    assert project.needed(()) == ("a", "b", "c", "d", "e")


def _stack(engine: Any = None, **more: Any) -> Stack:
    project = _project(_service("web"))
    return Stack(
        name="run",
        project=project,
        engine=engine,
        timeline=Timeline(project=project, wanted=("web",)),
        copy=StackCopy(name="run", configuration="{}"),
        **more,
    )


def _said(action: str, container: str = "c1", **attributes: str) -> dict[str, Any]:
    named = {"com.docker.compose.service": "web"} | attributes
    return {"Action": action, "Actor": {"ID": container, "Attributes": named}}


def test_events_are_folded_in_order_and_told() -> None:
    told: list[State] = []
    stack = _stack(on_change=lambda run: told.append(run.state))
    for event in (_said("create"), {"Action": "prune"}, _said("die", exitCode="7")):
        stack.events.put(event)
    stack.catch_up()
    assert told == [State.CREATED, State.EXITED]
    assert stack.timeline.services()[0].exit_code == 7
    stack.catch_up()
    stack.catch_up(0.01)
    assert len(told) == 2


def test_an_engine_that_falls_silent_is_not_waited_for() -> None:
    stack = _stack()
    for event in (_said("create"), None):
        stack.events.put(event)
    with pytest.raises(Unavailable, match="stopped telling"):
        stack.catch_up(5.0)
    assert stack.timeline.services()[0].state is State.CREATED


class _Down:
    """An engine that lists these containers as down."""

    def __init__(self, exited: tuple[str, ...], unhealthy: tuple[str, ...]) -> None:
        self.listed = {"status": exited, "health": unhealthy}

    def containers(self, *, filters: dict[str, Any], **_: Any) -> list[dict[str, str]]:
        return [{"Id": name} for key, names in self.listed.items() if key in filters for name in names]


def test_what_has_failed_when_the_first_failure_is_seen_is_told_as_well() -> None:
    api = _Down(exited=("c1", "c2"), unhealthy=("c3",))
    stack = _stack(engine=SimpleNamespace(client=SimpleNamespace(api=api)))
    for event in (_said("create"), _said("create", container="c2"), _said("create", container="c3")):
        stack.events.put(event)
    stack.events.put(_said("die", exitCode="7"))

    def more() -> None:
        stack.events.put(_said("die", container="c2", exitCode="8"))
        stack.events.put(_said("health_status: unhealthy", container="c3"))

    late = threading.Timer(0.1, more)
    late.start()
    stack.take_stock()
    late.join()
    assert stack.timeline.knows_end_of({"c1", "c2", "c3"})


def test_nothing_is_waited_for_where_nothing_has_failed() -> None:
    nothing = _Down(exited=(), unhealthy=())
    stack = _stack(engine=SimpleNamespace(client=SimpleNamespace(api=nothing)))
    stack.events.put(_said("create"))
    stack.take_stock()
    assert stack.timeline.services()[0].state is State.CREATED


class _Api:
    """An engine without anything but containers, of which it tells in turns."""

    def __init__(self, *turns: Any, failure: Exception | None = None) -> None:
        self.turns = list(turns)
        self.failure = failure

    def containers(self, **_: Any) -> Any:
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, Exception):
            raise turn
        return turn

    def networks(self, **_: Any) -> Any:
        return []

    def volumes(self, **_: Any) -> Any:
        return {"Volumes": None}

    def images(self, **_: Any) -> Any:
        return []

    def remove_container(self, *_: Any, **__: Any) -> None:
        if self.failure is not None:
            raise self.failure


WEB = [{"Id": "c1", "Names": ["/web"]}]


def _engine(*turns: Any, failure: Exception | None = None) -> Any:
    return SimpleNamespace(client=SimpleNamespace(api=_Api(*turns, failure=failure)))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("hullmark._smoke.reap"), "PATIENCE", 0.3)


@pytest.mark.usefixtures("impatient")
def test_an_engine_that_goes_away_is_told_as_what_may_be_left() -> None:
    left = remove_run(_engine(ConnectionError("refused")), "run")
    assert left == "the engine does not say what is left of run: refused"


def test_an_engine_that_comes_back_in_time_is_forgiven() -> None:
    assert remove_run(_engine(ConnectionError("refused"), []), "run") is None


@pytest.mark.usefixtures("impatient")
def test_what_is_created_again_and_again_is_told() -> None:
    left = remove_run(_engine(WEB), "run")
    assert left == "something goes on creating containers, networks, volumes or images of run"


@pytest.mark.parametrize("settled", [False, True])
def test_however_long_the_removal_takes_what_is_gone_then_is_gone(
    monkeypatch: pytest.MonkeyPatch, *, settled: bool
) -> None:
    monkeypatch.setattr(importlib.import_module("hullmark._smoke.reap"), "PATIENCE", 0.0)
    assert remove_run(_engine(WEB, []), "run", settled=settled) is None


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_removed_is_named_with_the_reason() -> None:
    from docker.errors import APIError

    engine = _engine(WEB, failure=APIError("409", explanation="device or resource busy"))
    assert remove_run(engine, "run") == "container web: device or resource busy"


def test_what_somebody_else_removes_meanwhile_is_gone() -> None:
    from docker.errors import NotFound

    engine = _engine(WEB, [], failure=NotFound("404", explanation="no such container"))
    assert remove_run(engine, "run") is None


def test_a_late_container_is_removed_too() -> None:
    engine = _engine([], WEB, [], [])
    assert remove_run(engine, "run") is None
    assert len(engine.client.api.turns) == 1


def test_where_nobody_creates_anything_any_more_one_look_is_enough() -> None:
    engine = _engine(WEB, [], WEB)
    assert remove_run(engine, "run", settled=True) is None
    assert engine.client.api.turns == [WEB]


def test_a_service_that_waits_is_not_the_same_as_one_that_never_came() -> None:
    run = _stack().timeline.services()[0]
    assert run.state is State.ABSENT
    assert not run.ready
    assert replace(run, state=State.RUNNING).ready
    assert not replace(run, state=State.RUNNING, has_health_check=True).ready
