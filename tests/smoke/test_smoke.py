"""The smoke test with the real engine and the real Compose, on stacks of tiny services."""

from __future__ import annotations

import importlib
import secrets
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke import observe_privileges, smoke
from hullmark._smoke.stack import running
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.progress import Silent
from hullmark.model.project import DropsTo, ServiceSettings
from hullmark.model.service_run import State
from hullmark.rules import rules_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

WEB = """
    image: BOX
    command: [httpd, -f, -p, "8080", -h, /www]
    healthcheck:
      test: [CMD, busybox, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/"]
      interval: 300ms
      retries: 20
"""
"""A web server that is healthy as soon as it answers."""
IDLE = """
    image: BOX
    command: [sleep, "600"]
"""
CHECKED = """
    healthcheck:
      interval: 200ms
      timeout: 1s
      retries: 1
      test:"""


def _findings(run: Any) -> set[tuple[str, str]]:
    """Rule and service of what the rules find in a run."""
    observed = [
        *((each, each.service) for each in run.services),
        *((each, each.service) for each in run.probes),
    ]
    observed += [(each, each.link.from_service) for each in run.links]
    return {
        (finding.rule, name)
        for target, name in observed
        for rule in rules_for(type(target))
        for finding in rule.check(target, service=name)
    }


def test_a_stack_that_works_comes_up_answers_and_leaves_nothing(bench: Any) -> None:
    run = bench.smoke(
        f"""
services:
  web:{WEB}    ports: ["8080"]
    depends_on:
      idle:
        condition: service_started
  idle:{IDLE}    volumes: [/anonymous, "named:/named"]
volumes:
  named:
""",
        probes={
            "web": (
                bench.http(),
                bench.http(status=(range(404, 405),), path="/nothing"),
                bench.http(body_contains="hello"),
                bench.tcp(),
                bench.execute("test", "-d", "/www"),
            )
        },
        links=(
            bench.link("http://web:8080/", "idle"),
            bench.link("tcp://web:8080", "idle"),
            bench.link("http://web:8080/nothing", "idle", status=404),
        ),
    )
    assert run.ready
    assert not _findings(run)
    assert not run.untried
    web, idle = bench.service(run, "web"), bench.service(run, "idle")
    assert (web.state, idle.state) == (State.HEALTHY, State.RUNNING)
    assert web.created is not None
    assert web.started is not None
    assert web.healthy is not None
    assert web.created <= web.started <= web.healthy
    assert web.has_health_check
    assert not idle.has_health_check
    assert [probe.seen for probe in run.probes] == [
        "status 200",
        "status 404",
        "status 200",
        "connection accepted",
        "exit code 0",
    ]
    assert [link.seen for link in run.links] == [
        "status 200 (by busybox)",
        "connected (by busybox)",
        "status 404 (by busybox)",
    ]


def test_a_connection_that_the_service_itself_closes_at_once_was_accepted(bench: Any) -> None:
    curt = "use IO::Socket::INET; $$s = IO::Socket::INET->new(LocalPort => 9000, Listen => 5); close $$s->accept while 1"
    run = bench.smoke(
        f"""
services:
  web:
    image: BOX
    command: [perl, -e, '{curt}']
""",
        probes={"web": (bench.tcp(port=9000), bench.tcp(port=9001, timeout=2.0))},
    )
    assert [(probe.passed, probe.seen) for probe in run.probes] == [
        (True, "connection accepted, and closed at once by the service"),
        (False, "connection refused"),
    ]


def test_what_is_refused_says_how(bench: Any) -> None:
    run = bench.smoke(
        f"services:\n  web:{WEB}  idle:{IDLE}  alone:{IDLE}    networks: [other]\nnetworks:\n  other:\n",
        probes={
            "web": (
                bench.http(path="/nothing", timeout=5.0),
                bench.http(body_contains="goodbye", timeout=5.0),
                bench.http(tls="insecure", timeout=5.0),
                bench.http(port=9, timeout=5.0),
                bench.tcp(port=9, timeout=5.0),
                bench.execute("cat", "/nothing", timeout=5.0),
                bench.execute("no-such-program", timeout=5.0),
                bench.execute("sleep", "60", timeout=5.0),
            )
        },
        links=(
            bench.link("http://web:9/", "idle", timeout=5.0),
            bench.link("tcp://web:9", "idle", timeout=5.0),
            bench.link("http://web.invalid:8080/", "idle", timeout=5.0),
            bench.link("http://web:8080/nothing", "idle", timeout=5.0),
            bench.link("tcp://web:8080", "alone", timeout=5.0),
        ),
    )
    assert run.ready
    assert not any(each.passed for each in (*run.probes, *run.links))
    seen = [probe.seen for probe in run.probes]
    assert seen[0].startswith("status 404: ")
    assert seen[1] == "status 200 and a body without `goodbye`: hello"
    assert seen[2] in {"the port does not speak TLS", "connection closed without an answer"}
    assert seen[3] in {"connection closed without an answer", "connection reset"}
    assert seen[4] == "connection refused"
    assert seen[5] == "exit code 1: cat: /nothing: No such file or directory"
    assert seen[6].startswith("exit code 12")
    assert "executable file not found" in seen[6]
    assert seen[7] == "did not end within 5.0 s"
    (address,) = {link.address for link in run.links if link.address}
    assert [link.seen.partition(" (")[0] for link in run.links] == [
        f"resolves to {address}, connection refused",
        f"resolves to {address}, connection refused",
        "`web.invalid` does not resolve",
        "status 404",
        "`web` does not resolve",
    ]
    assert _findings(run) == {("failed-probe", "web"), ("failed-link", "idle"), ("failed-link", "alone")}


def test_a_service_that_never_gets_healthy_shows_its_last_health_check_and_log(bench: Any) -> None:
    run = bench.smoke(
        f"""
services:
  web:
    image: BOX
    command: [sh, -c, "echo starting up; printf '\\\\033[31mred\\\\n'; exec sleep 600"]{CHECKED}
        [CMD-SHELL, "echo the cellar is flooded; exit 1"]
  behind:{IDLE}    depends_on:
      web:
        condition: service_healthy
"""
    )
    web, behind = bench.service(run, "web"), bench.service(run, "behind")
    assert web.state is State.UNHEALTHY
    assert web.health_output == "the cellar is flooded"
    assert web.log == ("starting up", "red")
    assert behind.waits_on == ("web",)
    assert behind.started is None
    assert _findings(run) == {("unhealthy-service", "web")}
    assert not run.probes


def test_a_service_that_exits_says_its_code_and_last_words(bench: Any) -> None:
    run = bench.smoke(
        f'services:\n  idle:{IDLE}  web:\n    image: BOX\n    command: [sh, -c, "echo no license; exit 3"]\n'
        '    ports: ["8080"]\n'
    )
    web = bench.service(run)
    assert (web.state, web.exit_code, web.log) == (State.EXITED, 3, ("no license",))
    assert _findings(run) == {("service-exited", "web")}


def test_a_service_that_exits_while_it_is_probed_is_found(bench: Any) -> None:
    run = bench.smoke(
        f"services:\n  web:{WEB}    init: true\n",
        probes={"web": (bench.execute("sh", "-c", "kill 7; kill $(pidof httpd); sleep 99", timeout=60.0),)},
    )
    assert bench.service(run).state is State.EXITED
    assert ("service-exited", "web") in _findings(run)


@pytest.mark.parametrize("policy", ["always", "on-failure", "unless-stopped"])
def test_a_service_that_exits_more_often_than_it_may_is_said_to_restart_in_a_loop(
    bench: Any, policy: str
) -> None:
    run = bench.smoke(
        f'services:\n  web:\n    image: BOX\n    command: [sh, -c, "echo again; exit 1"]\n    restart: {policy}\n',
        restarts={"web": 2},
    )
    web = bench.service(run)
    assert web.state is State.RESTARTING
    assert web.restarts >= 3
    assert web.restarts_allowed == 2
    assert web.exit_code == 1
    assert web.log[-1] == "again"
    assert _findings(run) == {("restart-loop", "web")}


def test_a_service_that_is_started_again_only_so_often_has_exited(bench: Any) -> None:
    run = bench.smoke(
        'services:\n  web:\n    image: BOX\n    command: [sh, -c, "exit 1"]\n    restart: on-failure:1\n',
        restarts={"web": 5},
    )
    web = bench.service(run)
    assert (web.state, web.restarts) == (State.EXITED, 1)


SECOND_TRY = """
services:
  web:
    image: BOX
    command: [sh, -c, "test -e /tried && exec sleep 600; touch /tried; echo no database; exit 3"]
    restart: unless-stopped
"""


def test_a_service_that_comes_up_at_the_second_try_has_failed_unless_it_may(bench: Any) -> None:
    run = bench.smoke(SECOND_TRY)
    web = bench.service(run)
    assert (web.state, web.exit_code, web.restarts) == (State.EXITED, 3, 0)
    assert web.would_restart
    assert "`depends_on` with `condition: service_healthy`" in web.remedy
    assert "`restarts = 5` under `[services.web]`" in web.remedy
    assert _findings(run) == {("service-exited", "web")}
    run = bench.smoke(SECOND_TRY, restarts={"web": 1})
    assert run.ready
    assert bench.service(run).restarts == 1
    assert not _findings(run)


def test_a_service_that_has_only_just_been_started_again_when_the_run_ends_is_not_up(bench: Any) -> None:
    # The one fails as soon as the other is there again, long before that could be believed.
    run = bench.smoke(
        """
services:
  web:
    image: BOX
    command: [sh, -c, "test -e /tried && { touch /shared/again; exec sleep 600; }; touch /tried; exit 3"]
    restart: always
    volumes: ["shared:/shared"]
  fails:
    image: BOX
    command: [sh, -c, "until test -e /shared/again; do sleep 0.1; done; exit 4"]
    volumes: ["shared:/shared"]
volumes:
  shared:
""",
        restarts={"web": 3},
    )
    web = bench.service(run)
    assert (web.state, web.unsettled, web.ready, web.restarts) == (State.RUNNING, True, False, 1)
    assert _findings(run) == {("service-exited", "fails")}


def test_a_service_that_needs_too_long_is_told_from_one_that_waits_for_it(bench: Any) -> None:
    run = bench.smoke(
        f"""
services:
  web:
    image: BOX
    command: [sh, -c, "echo patience; exec sleep 600"]
    healthcheck:
      test: [CMD, "false"]
      interval: 200ms
      start_period: 60s
  behind:{IDLE}    depends_on:
      web:
        condition: service_healthy
""",
        timeout=10.0,
    )
    web, behind = bench.service(run, "web"), bench.service(run, "behind")
    assert web.timed_out
    assert web.state is State.RUNNING
    assert not web.ready
    assert web.log == ("patience",)
    assert behind.waits_on == ("web",)
    assert _findings(run) == {("start-timeout", "web")}


def test_a_job_that_others_wait_for_may_complete(bench: Any) -> None:
    compose = """
services:
  job:
    image: BOX
    command: [sh, -c, "echo migrated; exit {code}"]
  web:{web}    depends_on:
      job:
        condition: service_completed_successfully
"""
    run = bench.smoke(compose.format(code=0, web=WEB))
    assert run.ready
    assert bench.service(run, "job").state is State.COMPLETED
    assert not _findings(run)


def test_a_job_that_fails_is_found_and_what_waits_for_it_is_not(bench: Any) -> None:
    run = bench.smoke(
        f"""
services:
  job:
    image: BOX
    command: [sh, -c, "echo no table; exit 4"]
  web:{WEB}    depends_on:
      job:
        condition: service_completed_successfully
"""
    )
    job, web = bench.service(run, "job"), bench.service(run, "web")
    assert (job.state, job.exit_code, job.log) == (State.EXITED, 4, ("no table",))
    assert web.waits_on == ("job",)
    assert _findings(run) == {("service-exited", "job")}


def test_a_service_killed_for_lack_of_memory_is_told_to_get_more(bench: Any) -> None:
    run = bench.smoke(
        "services:\n  web:\n    image: BOX\n    mem_limit: 8m\n    memswap_limit: 8m\n"
        "    command: [bash, -c, \"x=$$(head -c 200000000 /dev/zero | tr '\\\\0' x); echo $${#x}\"]\n"
        '    ports: ["8080"]\n'
    )
    web = bench.service(run)
    assert web.state is State.EXITED
    assert web.out_of_memory
    assert web.remedy.startswith("raise `mem_limit` of the service, which is 8 MiB, or")


def test_of_several_containers_of_a_service_the_worst_speaks_for_it(bench: Any) -> None:
    run = bench.smoke(
        """
services:
  web:
    image: BOX
    command: [sh, -c, "mkdir /shared/taken && exec sleep 600; echo came second; exit 5"]
    volumes: ["shared:/shared"]
    scale: 2
    ports: ["8080"]
volumes:
  shared:
"""
    )
    web = bench.service(run)
    assert (web.state, web.exit_code) == (State.EXITED, 5)
    assert "came second" in web.log


def test_services_of_a_chosen_profile_are_started(bench: Any) -> None:
    compose = (
        f"services:\n  web:{WEB}  extra:{IDLE}    profiles: [more]\n  never:{IDLE}    profiles: [other]\n"
    )
    run = bench.smoke(compose, profiles=("more",))
    assert {each.service for each in run.services} == {"web", "extra"}
    assert run.ready


def test_an_image_that_does_not_exist_is_told_with_the_service_and_without_progress(bench: Any) -> None:
    with pytest.raises(Unavailable) as caught:
        bench.smoke("services:\n  web:\n    image: hullmark-test-nothing:x\n    pull_policy: never\n")
    assert caught.value.message == (
        "the stack cannot be started: the image of `web` cannot be had: No such image: hullmark-test-nothing:x"
    )


def test_the_developers_own_copy_is_neither_in_the_way_nor_touched(bench: Any) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = f"own-{secrets.token_hex(4)}"
    compose = f"""
name: {own}
services:
  web:{WEB}    container_name: {own}-web
    ports: ["127.0.0.1:{port}:8080"]
    volumes: ["data:/data", /anonymous]
networks:
  default:
    name: {own}-network
volumes:
  data:
    name: {own}-data
"""
    bench.project(compose)
    argv = ("docker", "compose", "-p", own, "--project-directory", str(bench.root))
    try:
        subprocess.run((*argv, "up", "-d", "--wait"), check=True, capture_output=True)
        before = _everything_of(bench, own)
        assert len(before) == 3
        run = bench.smoke(
            compose, probes={"web": (bench.http(), bench.execute("test", "!", "-e", "/data/mine"))}
        )
        assert run.ready
        assert not _findings(run)
        assert _everything_of(bench, own) == before
    finally:
        subprocess.run((*argv, "down", "-v", "-t", "0"), check=True, capture_output=True)


def _everything_of(bench: Any, project: str) -> set[tuple[str, str]]:
    """Name and start, or identity, of everything of a Compose project."""
    client = bench.engine.client
    filters = {"label": f"com.docker.compose.project={project}"}
    found = {
        (c.name, c.attrs["State"]["StartedAt"] + c.attrs["State"]["Status"])
        for c in client.containers.list(all=True, filters=filters, ignore_removed=True)
    }
    found |= {(n.name, n.id) for n in client.networks.list(filters=filters)}
    return found | {(v.name, v.attrs["CreatedAt"]) for v in client.volumes.list(filters=filters)}


def test_volumes_are_removed_anonymous_ones_too(bench: Any) -> None:
    project = bench.project(
        f"services:\n  web:{IDLE}    volumes: [/anonymous, 'named:/named']\nvolumes:\n  named:\n"
    )
    with running(project, bench.engine, bench.commands, timeout=120) as stack:
        mounts = stack.container("web").attrs["Mounts"]
        names = [mount["Name"] for mount in mounts]
        assert len(names) == 2
    assert stack.teardown_error is None
    assert not {volume.name for volume in bench.engine.client.volumes.list()} & set(names)


@pytest.mark.parametrize("after", [0.0, 0.3, 0.6, 0.9])
def test_asked_to_stop_at_any_time_it_removes_what_it_began(
    bench: Any, cancelled: threading.Event, after: float
) -> None:
    slow = "[CMD, 'false']\n      start_period: 1h\n    volumes: [/anonymous, 'named:/named']\n"
    project = bench.project(
        f"services:\n  web:{IDLE}{CHECKED} {slow}"
        + "".join(f"  more{n}:{IDLE}    volumes: ['named:/named']\n" for n in range(3))
        + f"  behind:{IDLE}    depends_on: {{web: {{condition: service_healthy}}}}\nvolumes:\n  named:\n"
    )
    timer = threading.Timer(after, cancelled.set)
    timer.start()
    started = time.monotonic()
    with (
        pytest.raises(Interrupted) as caught,
        running(project, bench.engine, bench.commands, timeout=900),
    ):
        pass
    timer.join()
    assert "could not be removed" not in caught.value.message
    assert time.monotonic() - started < after + 600
    time.sleep(1.0)
    filters: dict[str, Any] = {"label": "io.hullmark.run"}
    client = bench.engine.client
    names = [
        str(c.labels["io.hullmark.run"])
        for c in client.containers.list(all=True, filters=filters, ignore_removed=True)
    ]
    names += [str(n.attrs["Labels"]["io.hullmark.run"]) for n in client.networks.list(filters=filters)]
    names += [str(v.attrs["Labels"]["io.hullmark.run"]) for v in client.volumes.list(filters=filters)]
    assert not [name for name in names if project.name in name]


class _Probing(Silent):
    """Asks everything to stop soon after probes have begun."""

    def __init__(self, cancelled: threading.Event) -> None:
        self.cancelled = cancelled
        self.since = 0.0

    def begin(self, check: Any, service: str | None, text: str) -> None:  # noqa: ARG002  # one for all
        """See `Progress.begin`."""
        if text.startswith("trying probes"):
            self.since = time.monotonic()
            threading.Timer(1.0, self.cancelled.set).start()


def test_asked_to_stop_while_it_probes_it_does_not_wait_for_the_answer(
    bench: Any, cancelled: threading.Event
) -> None:
    project = bench.project(
        f"services:\n  web:{IDLE}", probes={"web": (bench.execute("sleep", "600", timeout=600.0),)}
    )
    probing = _Probing(cancelled)
    with pytest.raises(Interrupted):
        smoke(project, bench.engine, bench.commands, probing)
    assert time.monotonic() - probing.since < 300
    names = [c.name for c in bench.engine.client.containers.list(all=True, ignore_removed=True)]
    assert not [name for name in names if project.name in str(name)]


def test_an_error_that_ends_the_run_says_what_could_not_be_removed(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hullmark._smoke import stack as module
    from hullmark._smoke.reap import remove_run

    monkeypatch.setattr(
        module, "remove_run", lambda *args, **more: remove_run(*args, **more) or "network x: in use"
    )
    project = bench.project(f"services:\n  web:{IDLE}")

    def leave() -> None:
        with running(project, bench.engine, bench.commands, timeout=120):
            raise Interrupted

    with pytest.raises(Interrupted) as caught:
        leave()
    assert caught.value.message.endswith("this could not be removed: network x: in use")


def test_what_cannot_be_removed_is_told_apart_from_the_findings(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reap = importlib.import_module("hullmark._smoke.reap")
    monkeypatch.setattr(reap, "PATIENCE", 1.0)
    project = bench.project(f"services:\n  web:{IDLE}")
    client = bench.engine.client
    guest = None
    try:
        with running(project, bench.engine, bench.commands, timeout=120) as stack:
            (network,) = client.networks.list(names=[f"{stack.name}_default"])
            guest = client.containers.run(
                bench.images.bare, ["/sleep", "60"], detach=True, network=network.name
            )
        assert stack.teardown_error is not None
        assert stack.teardown_error.startswith(f"network {stack.name}_default: ")
    finally:
        if guest is not None:
            guest.remove(force=True)
        assert reap.remove_run(bench.engine, stack.name) is None
    assert bench.left(stack.name) == []


DROPPING = """
services:
  web:
    image: BOX
    command: [bash, -c, "sleep {pause}; exec busybox su -s /bin/sh app -c 'exec sleep 600'"]
  keeps:
    image: BOX
    command: [sleep, "600"]
  gone:
    image: BOX
    command: ["false"]
    ports: ["8080"]
"""
SETTINGS = (
    ("gone", ServiceSettings(user=DropsTo(name="app"))),
    ("keeps", ServiceSettings(user=DropsTo(name="app"))),
    ("web", ServiceSettings(user=DropsTo(name="app"), user_origin=SourceSpan(path="hullmark.toml", line=7))),
)


def _dropping(bench: Any, root: Path) -> Any:
    from dataclasses import replace

    project = bench.project(DROPPING.format(pause=2))
    assert project.root == root
    return replace(project, settings=replace(project.settings, services=SETTINGS))


def test_a_service_that_drops_its_privileges_is_seen_to(bench: Any) -> None:
    project = _dropping(bench, bench.root)
    seen = observe_privileges(project, "web", bench.engine, bench.commands)
    assert (seen.service, seen.expected, seen.span.line) == ("web", "app", 7)
    assert {process.name for process in seen.processes} == {"app"}
    assert {process.uid for process in seen.processes} == {1000}
    (rule,) = rules_for(type(seen))
    assert not list(rule.check(seen))


def test_a_service_that_keeps_its_privileges_is_seen_to(bench: Any) -> None:
    seen = observe_privileges(_dropping(bench, bench.root), "keeps", bench.engine, bench.commands)
    assert [(process.name, process.command) for process in seen.processes] == [("root", "sleep 600")]
    (rule,) = rules_for(type(seen))
    assert [finding.seen for finding in rule.check(seen)] == ["`sleep 600` runs as root"]


def test_of_a_service_that_does_not_come_up_nothing_is_said(bench: Any) -> None:
    with pytest.raises(Unavailable, match=r"`gone` runs as could not be seen.*gone is exited"):
        observe_privileges(_dropping(bench, bench.root), "gone", bench.engine, bench.commands)


JOBS = """
services:
  drops:
    image: BOX
    command: [bash, -c, "sleep 0.2; exec busybox su -s /bin/sh app -c 'exec sleep 1'"]
  keeps:
    image: BOX
    command: [sleep, "2"]
  configured:
    image: BOX
    user: app
    command: ["true"]
  numbered:
    image: BOX
    user: "1000:0"
    command: ["true"]
  short:
    image: BOX
    command: ["true"]
"""


@pytest.mark.parametrize(
    ("job", "name", "broken"),
    [
        ("drops", "app", False),
        ("keeps", "root", True),
        ("configured", "app", False),
        ("numbered", "app", False),
    ],
)
def test_whom_a_job_runs_as_is_seen_while_it_runs_or_in_its_configuration(
    bench: Any, job: str, name: str, *, broken: bool
) -> None:
    from dataclasses import replace

    project = bench.project(JOBS)
    settings = replace(project.settings, services=((job, ServiceSettings(user=DropsTo(name="app"))),))
    seen = observe_privileges(replace(project, settings=settings), job, bench.engine, bench.commands)
    assert {process.name for process in seen.processes} == {name}
    (rule,) = rules_for(type(seen))
    assert bool(list(rule.check(seen))) is broken


def test_of_a_job_that_ends_before_it_is_seen_nothing_is_said(bench: Any) -> None:
    from dataclasses import replace

    project = bench.project(JOBS)
    settings = replace(project.settings, services=(("short", ServiceSettings(user=DropsTo(name="app"))),))
    with pytest.raises(Unavailable, match="`short` runs as could not be seen, because it ended too soon"):
        observe_privileges(replace(project, settings=settings), "short", bench.engine, bench.commands)


def test_of_a_service_that_is_scaled_to_nothing_one_is_started_to_be_seen(bench: Any) -> None:
    from dataclasses import replace

    project = bench.project(f"services:\n  web:{IDLE}    user: app\n    deploy: {{replicas: 0}}\n")
    settings = replace(project.settings, services=(("web", ServiceSettings(user=DropsTo(name="app"))),))
    seen = observe_privileges(replace(project, settings=settings), "web", bench.engine, bench.commands)
    assert {process.name for process in seen.processes} == {"app"}
