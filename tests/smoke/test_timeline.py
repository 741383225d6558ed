"""From engine events to the state of services, as tables and as properties."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._smoke.timeline import STEADY_AGAIN, STEADY_STAYING, Event, Timeline
from hullmark.model.location import SourceSpan
from hullmark.model.probe import TcpProbe
from hullmark.model.project import Allowance, Project, Service, ServiceSettings, Settings
from hullmark.model.service_run import STEADY, State

SPAN = SourceSpan(path="compose.yml", line=1)


def _service(name: str, *depends_on: str, restart: str = "no", limit: int | None = None) -> Service:
    return Service(
        name=name,
        image=f"{name}:dev",
        build=None,
        span=SPAN,
        depends_on=tuple((other, "service_healthy") for other in depends_on),
        restarts=restart != "no",
        restarts_when_done=restart == "always",
        restart_limit=limit,
    )


PROJECT = Project(
    name="shop",
    root=Path("/shop"),
    services=(
        _service("db"),
        _service("job"),
        _service("web", "db"),
        _service("loop", restart="always"),
        _service("retry", restart="on-failure"),
        _service("once", restart="on-failure", limit=1),
        _service("strict", restart="always"),
    ),
    settings=Settings(
        services=tuple((name, ServiceSettings(restarts=2)) for name in ("loop", "retry", "once"))
    ),
    resolved="{}",
)


def _timeline(*wanted: str) -> Timeline:
    return Timeline(project=PROJECT, wanted=wanted, may_complete=frozenset({"job"}))


def _events(service: str, text: str, container: str = "") -> list[Event]:
    """Events from words: `start+` starts with a health check, `die:3` exits with code 3."""
    found = []
    for at, word in enumerate(text.split(), 1):
        action, _, code = word.partition(":")
        action = {"healthy": "health_status: healthy", "unhealthy": "health_status: unhealthy"}.get(
            action, action
        )
        found.append(
            Event(
                service=service,
                container=container or f"{service}-1",
                action=action.rstrip("+"),
                at=float(at),
                exit_code=int(code) if code else None,
                has_health_check=action.endswith("+"),
            )
        )
    return found


def _after(service: str, text: str) -> Timeline:
    timeline = _timeline(service)
    for event in _events(service, text):
        timeline.apply(event)
    return timeline


@pytest.mark.parametrize(
    ("service", "events", "state", "ready", "failed"),
    [
        ("db", "", State.ABSENT, False, False),
        ("db", "create", State.CREATED, False, False),
        ("db", "create start", State.RUNNING, True, False),
        ("db", "create start+", State.RUNNING, False, False),
        ("db", "create start+ healthy", State.HEALTHY, True, False),
        ("db", "create start+ unhealthy", State.UNHEALTHY, False, True),
        ("db", "create start+ unhealthy healthy", State.UNHEALTHY, False, True),
        ("db", "create start+ healthy unhealthy", State.UNHEALTHY, False, True),
        ("db", "create start+ healthy unhealthy healthy", State.UNHEALTHY, False, True),
        ("db", "create start+ unhealthy die:1", State.UNHEALTHY, False, True),
        ("db", "create start die:0", State.EXITED, False, True),
        ("db", "create start die:1", State.EXITED, False, True),
        ("db", "create start die:1 start", State.EXITED, False, True),
        ("db", "create start oom die:137", State.EXITED, False, True),
        ("db", "create start exec_start exec_die attach", State.RUNNING, True, False),
        ("job", "create start", State.RUNNING, True, False),
        ("job", "create start die:0", State.COMPLETED, True, False),
        ("job", "create start die:2", State.EXITED, False, True),
        ("loop", "create start die:1", State.CREATED, False, False),
        ("loop", "create start die:1 start", State.RUNNING, True, False),
        ("loop", "create start die:1 start die:1 start die:1", State.RESTARTING, False, True),
        ("loop", "create start die:1 start die:1 start die:1 start+ healthy", State.RESTARTING, False, True),
        ("loop", "create start die:0 start die:0 start die:0", State.RESTARTING, False, True),
        ("retry", "create start die:1 start", State.RUNNING, True, False),
        ("retry", "create start die:0", State.EXITED, False, True),
        ("once", "create start die:1 start", State.RUNNING, True, False),
        ("once", "create start die:1 start die:1", State.EXITED, False, True),
        ("strict", "create start die:1", State.EXITED, False, True),
        ("strict", "create start die:0 start", State.EXITED, False, True),
    ],
)
def test_events_make_a_state(service: str, events: str, state: State, ready: bool, failed: bool) -> None:  # noqa: FBT001
    timeline = _after(service, events)
    (life,) = timeline.services()
    assert (life.state, life.ready) == (state, ready)
    assert timeline.is_ready() is ready
    assert timeline.has_failed() is failed


def test_a_life_has_its_times_exits_and_restarts() -> None:
    (life,) = _after("loop", "create start+ die:1 start+ healthy healthy oom").services()
    assert (life.created, life.started, life.healthy) == (1.0, 2.0, 5.0)
    assert (life.restarts, life.exit_code, life.out_of_memory) == (1, 1, True)
    assert life.span == SPAN


def test_a_service_that_may_be_started_again_is_in_a_loop_when_it_exits_once_more_than_that() -> None:
    assert not _after("loop", "create " + "start die:1 " * 2).has_failed()
    assert _after("loop", "create " + "start die:1 " * 3).has_failed()


@pytest.mark.parametrize(
    ("service", "events", "would"),
    [
        ("strict", "create start die:1", True),
        ("strict", "create start+ healthy die:1", False),
        ("loop", "create start die:1 start die:1 start die:1", False),
        ("db", "create start die:1", False),
    ],
)
def test_of_what_exits_at_its_start_it_is_known_that_its_policy_would_start_it_again(
    service: str,
    events: str,
    would: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    (life,) = _after(service, events).services()
    assert life.would_restart is would


def test_what_exits_once_everything_has_come_up_has_failed_whatever_it_might_have_done_before() -> None:
    timeline = _after("loop", "create start die:1 start")
    timeline.came_up = True
    for event in _events("loop", "die:1"):
        timeline.apply(event)
    (life,) = timeline.services()
    assert (life.state, life.would_restart) == (State.EXITED, False)


def test_events_of_strangers_are_no_concern() -> None:
    timeline = _timeline("db")
    assert timeline.apply(_events("nobody", "start")[0]) is None
    assert timeline.services()[0].state is State.ABSENT


def test_a_service_that_is_not_wanted_decides_nothing() -> None:
    timeline = _timeline("db")
    for event in (*_events("db", "create start"), *_events("web", "create start die:1")):
        timeline.apply(event)
    assert timeline.is_ready()
    assert not timeline.has_failed()


def test_what_has_not_started_waits_for_what_is_not_up() -> None:
    timeline = _timeline("db", "web")
    for event in (*_events("web", "create"), *_events("db", "create start+")):
        timeline.apply(event)
    assert [life.waits_on for life in timeline.services()] == [(), ("db",)]
    timeline.apply(_events("db", "healthy")[0])
    assert [life.waits_on for life in timeline.services()] == [(), ()]


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("create start+ healthy", "create start+ healthy", State.HEALTHY),
        ("create start+ healthy", "create start+", State.RUNNING),
        ("create start+ healthy", "create", State.CREATED),
        ("create start+ unhealthy", "create start+ healthy", State.UNHEALTHY),
        ("create start die:1", "create start+ unhealthy", State.EXITED),
    ],
)
def test_of_several_containers_the_one_that_stands_worst_counts(
    first: str, second: str, state: State
) -> None:
    for pair in ((first, second), (second, first)):
        timeline = _timeline("db")
        for name, text in zip(("a", "b"), pair, strict=True):
            for event in _events("db", text, name):
                timeline.apply(event)
        assert timeline.services()[0].state is state
        assert timeline.worst("db") in {"a", "b"}


def test_a_service_without_a_container_has_no_worst_one() -> None:
    assert _timeline("db").worst("db") is None


def test_what_only_runs_is_believed_after_a_while_and_later_when_it_has_exited_before() -> None:
    timeline = _after("db", "create start")
    assert not timeline.is_steady(2.0 + STEADY - 0.1)
    assert timeline.is_steady(2.0 + STEADY)
    (life,) = timeline.judged(2.0 + STEADY - 0.1)
    assert (life.state, life.ready, life.fate) == (State.RUNNING, False, "only just started")
    assert life.ran == pytest.approx(STEADY - 0.1)
    assert timeline.judged(2.0 + STEADY)[0].ready
    for meant_to_stay in ("strict", "retry"):
        timeline = _after(meant_to_stay, "create start")
        assert not timeline.is_steady(2.0 + STEADY_STAYING - 0.1)
        assert timeline.is_steady(2.0 + STEADY_STAYING)
    timeline = _after("loop", "create start die:1 start")
    assert not timeline.is_steady(4.0 + STEADY_AGAIN - 0.1)
    assert timeline.unsettled(4.0 + STEADY_AGAIN - 0.1) == {"loop"}
    assert timeline.is_steady(4.0 + STEADY_AGAIN)


def test_what_only_runs_is_not_proven_to_work() -> None:
    (life,) = _after("db", "create start").judged()
    assert (life.ready, life.proven) == (True, False)
    for service, events in (("db", "create start+ healthy"), ("job", "create start die:0")):
        assert _after(service, events).judged()[0].proven
    assert not _after("db", "create start die:1").judged()[0].proven


def test_a_health_check_and_a_completed_job_need_no_further_proof() -> None:
    assert _after("db", "create start+ healthy").is_steady(0.0)
    assert _after("job", "create start die:0").is_steady(0.0)


WORDS = st.lists(
    st.sampled_from(
        [
            "create",
            "start",
            "start+",
            "healthy",
            "unhealthy",
            "die:0",
            "die:1",
            "die:137",
            "oom",
            "exec_start",
        ]
    ),
    max_size=12,
).map(" ".join)
CONTAINERS = st.lists(
    st.tuples(st.sampled_from(["db", "job", "web", "loop", "retry", "once"]), WORDS), min_size=1, max_size=5
)


def _streams(containers: list[tuple[str, str]]) -> list[list[Event]]:
    return [_events(name, text, f"c{index}") for index, (name, text) in enumerate(containers)]


@given(containers=CONTAINERS, data=st.data())
def test_containers_may_speak_in_any_order(containers: list[tuple[str, str]], data: st.DataObject) -> None:
    streams = _streams(containers)
    wanted = tuple(sorted({name for name, _ in containers}))
    plain, mixed = _timeline(*wanted), _timeline(*wanted)
    for event in (event for stream in streams for event in stream):
        plain.apply(event)
    turns = data.draw(st.permutations([i for i, stream in enumerate(streams) for _ in stream]))
    for turn in turns:
        mixed.apply(streams[turn].pop(0))
    assert mixed.services() == plain.services()
    assert mixed.has_failed() == plain.has_failed()
    assert mixed.is_ready() == plain.is_ready()
    assert mixed.is_steady(9.0) == plain.is_steady(9.0)


@given(containers=CONTAINERS)
def test_what_has_failed_stays_failed(containers: list[tuple[str, str]]) -> None:
    timeline = _timeline(*sorted({name for name, _ in containers}))
    failed = False
    for event in (event for stream in _streams(containers) for event in stream):
        timeline.apply(event)
        assert timeline.has_failed() >= failed
        failed = timeline.has_failed()
        assert not (failed and timeline.is_ready())


@given(containers=CONTAINERS)
def test_restarts_and_times_never_go_back(containers: list[tuple[str, str]]) -> None:
    timeline = _timeline(*sorted({name for name, _ in containers}))
    for stream in _streams(containers):
        restarts, started, out_of_memory = 0, None, False
        for event in stream:
            life = timeline.apply(event)
            assert life is not None
            assert life.restarts >= restarts
            assert started is None or life.started == started
            assert life.out_of_memory >= out_of_memory
            restarts, started, out_of_memory = life.restarts, life.started, life.out_of_memory


@given(text=WORDS)
def test_other_things_that_the_engine_says_change_nothing(text: str) -> None:
    plain, chatty = _timeline("db"), _timeline("db")
    for event in _events("db", text):
        plain.apply(event)
        chatty.apply(replace(event, action="exec_create: true"))
        chatty.apply(event)
        chatty.apply(replace(event, action="top"))
    assert chatty.services() == plain.services()


def _limited(**settings: ServiceSettings) -> Timeline:
    project = replace(PROJECT, settings=Settings(services=tuple(settings.items())))
    return Timeline(project=project, wanted=("db", "web"))


def test_a_service_is_late_by_its_own_time_which_begins_with_its_container() -> None:
    timeline = _limited(web=ServiceSettings(timeout=Allowance(seconds=5.0, origin=SPAN)))
    assert timeline.overdue(99.0) == frozenset()
    for event in _events("web", "create start+"):
        timeline.apply(event)
    assert timeline.overdue(7.0) == frozenset()
    assert timeline.overdue(7.1) == {"web"}
    assert timeline.pending() == {"db", "web"}
    for event in _events("web", "healthy"):
        timeline.apply(event)
    assert timeline.overdue(99.0) == frozenset()
    assert timeline.pending() == {"db"}


def test_without_a_health_check_the_probes_say_whether_a_service_is_up() -> None:
    probe = TcpProbe(port=80, origin=SPAN)
    timeline = _limited(db=ServiceSettings(probes=(probe,)), web=ServiceSettings(probes=(probe,)))
    for event in (*_events("db", "create start"), *_events("web", "create start+ healthy")):
        timeline.apply(event)
    assert timeline.is_ready()
    # Nobody need wait for it to be steady: an answer says more.
    assert timeline.is_steady(2.0)
    db, web = timeline.judged()
    assert (db.unanswered, db.ready, db.start_took) == (True, False, None)
    assert (web.unanswered, web.ready, web.start_took) == (False, True, 1.0)
    timeline.answer("db", 4.5)
    timeline.answer("db", 9.0)
    db, _ = timeline.judged()
    assert (db.unanswered, db.ready, db.start_took) == (False, True, 2.5)


def test_a_service_that_has_exited_before_is_not_believed_its_probes_at_once() -> None:
    timeline = _timeline("loop")
    probed = ServiceSettings(probes=(TcpProbe(port=80, origin=SPAN),), restarts=2)
    settings = Settings(services=(("loop", probed),))
    timeline.project = replace(PROJECT, settings=settings)
    for event in _events("loop", "create start die:1 start"):
        timeline.apply(event)
    assert not timeline.is_steady(5.0)
    assert timeline.is_steady(4.0 + STEADY_AGAIN)


def test_when_a_service_failed_and_was_well_again_is_known() -> None:
    (life,) = _after("db", "create start+ healthy unhealthy healthy unhealthy healthy").services()
    assert (life.healthy, life.ended, life.recovered) == (3.0, 4.0, 5.0)
    (life,) = _after("job", "create start die:0").services()
    assert (life.ended, life.start_took) == (3.0, 1.0)
