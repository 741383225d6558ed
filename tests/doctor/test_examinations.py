"""What the doctor sees of a machine, one thing at a time."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._doctor import examine
from hullmark._doctor.examinations import EXAMINATIONS
from hullmark.errors import ConfigurationError, Interrupted, Unavailable
from hullmark.model.diagnosis import Examinations, Examined, Looked, Trouble
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Broken, Skipped
from hullmark.model.project import Project, Service, Settings
from hullmark.model.verdict import Status
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.diagnosis import Sight

INSPECTED = """\
Name:          default
Driver:        docker

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.13.1
Platforms:        linux/amd64, linux/386
"""
DONE = ScriptedCommands.completed


class Bench:
    """A machine that a test describes; what it does not describe is as it should be."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"HOME": str(home), "PATH": str(home / "bin")}
        self.info: dict[str, Any] = {
            "ServerVersion": "26.1.5",
            "OperatingSystem": "Debian",
            "Architecture": "x86_64",
            "MemTotal": 8 * 10**9,
            "Driver": "overlay2",
            "CgroupVersion": "2",
            "DockerRootDir": str(home),
        }
        self.cache: list[dict[str, Any]] = []
        self.host = "unix:///var/run/docker.sock"
        self.refused: Exception | None = None
        self.project: Project | Exception | None = None
        self.script: dict[tuple[str, ...], Any] = {
            ("docker", "compose", "version"): DONE("2.26.1\n"),
            ("docker", "buildx", "version"): DONE("example.com/docker/buildx 0.13.1 abc\n"),
            ("docker", "buildx", "inspect"): DONE(INSPECTED),
        }

    def _connect(self) -> Any:
        if self.refused is not None:
            raise self.refused
        containers = SimpleNamespace(list=lambda **_: [])
        client = SimpleNamespace(
            info=lambda: {"SystemTime": dt.datetime.now(dt.UTC).isoformat(), **self.info},
            api=SimpleNamespace(base_url="http://localhost", api_version="1.45", get=self._get),
            containers=containers,
        )
        return SimpleNamespace(client=client, host=self.host)

    def _get(self, url: str, *, params: dict[str, str], timeout: float) -> Any:  # noqa: ARG002
        assert (url, params) == ("http://localhost/v1.45/system/df", {"type": "build-cache"})
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: {"BuildCache": self.cache})

    def _find_project(self) -> Project | None:
        if isinstance(self.project, Exception):
            raise self.project
        return self.project

    def all(self) -> Examinations:
        return examine(ScriptedCommands(self.script), self.environ, self._connect, self._find_project)

    def one(self, name: str) -> Sight:
        (found,) = (each.sight for each in self.all().examined if each.examination == name)
        return found

    def troubles(self, name: str) -> list[tuple[Severity, str]]:
        sight = self.one(name)
        assert isinstance(sight, Looked)
        assert all(each.remedy for each in sight.troubles)
        return [(each.severity, each.seen) for each in sight.troubles]

    def configure(self, **client: Any) -> None:
        (self.home / ".docker").mkdir(exist_ok=True)
        (self.home / ".docker/config.json").write_text(json.dumps(client), encoding="utf-8")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "bin").mkdir()
    return Bench(tmp_path)


def test_a_machine_that_is_in_order_is_clean_and_every_examination_is_told(bench: Bench) -> None:
    found = bench.all()
    assert [each.examination for each in found.examined] == list(EXAMINATIONS)
    assert not [each for each in found.examined if isinstance(each.sight, Broken)]
    assert found.status is Status.CLEAN


def test_an_engine_that_does_not_answer_is_an_error_and_the_rest_goes_on(bench: Bench) -> None:
    bench.refused = Unavailable("no Docker engine answers at X: connection refused", hint="start it")
    found = bench.all()
    assert bench.troubles("engine") == [(Severity.ERROR, "no Docker engine answers at X: connection refused")]
    assert bench.one("storage") == Skipped(reason="no engine answers")
    assert isinstance(bench.one("compose"), Looked)
    assert found.status is Status.FINDINGS


def test_an_engine_that_says_nothing_of_itself_breaks_what_asks_for_it(bench: Bench) -> None:
    def fail() -> Any:
        raise OSError("gone")

    connect = bench._connect  # noqa: SLF001

    def broken() -> Any:
        engine = connect()
        engine.client.info = fail
        return engine

    bench._connect = broken  # type: ignore[method-assign]  # noqa: SLF001
    found = bench.all()
    assert {each.examination for each in found.examined if isinstance(each.sight, Broken)} >= {
        "engine",
        "storage",
        "clock",
    }
    assert found.status is Status.UNCHECKED


def test_being_interrupted_ends_all(bench: Bench) -> None:
    bench.refused = Interrupted()
    with pytest.raises(Interrupted):
        bench.all()


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"Driver": "vfs"}, "the storage driver `vfs` copies every layer whole"),
        ({"CgroupVersion": "1"}, "the engine uses control groups of version 1"),
        ({"Warnings": ["WARNING: No swap limit support"]}, "the engine warns: No swap limit support"),
    ],
)
def test_how_layers_are_stored_and_containers_limited_is_told(
    bench: Bench, info: dict[str, Any], expected: str
) -> None:
    bench.info |= info
    ((_, seen),) = bench.troubles("storage")
    assert seen.startswith(expected)


def test_little_memory_is_a_warning(bench: Bench) -> None:
    bench.info["MemTotal"] = 10**9
    assert bench.troubles("engine") == [(Severity.WARNING, "the engine has 1.0 GB of memory")]


def test_plugins_that_are_missing_or_old_are_errors(bench: Bench) -> None:
    bench.script[("docker", "compose", "version")] = DONE(stderr="unknown command", returncode=1)
    bench.script[("docker", "buildx", "version")] = DONE(stderr="unknown command", returncode=1)
    assert bench.troubles("compose") == [(Severity.ERROR, "the Docker CLI has no Compose plugin")]
    assert bench.troubles("buildx") == [(Severity.ERROR, "the Docker CLI has no buildx plugin")]
    bench.script[("docker", "compose", "version")] = DONE("2.3.3\n")
    ((severity, seen),) = bench.troubles("compose")
    assert (severity, seen.startswith("Docker Compose is version 2.3.3")) == (Severity.ERROR, True)


def test_the_builder_and_its_buildkit_are_told(bench: Bench) -> None:
    sight = bench.one("buildx")
    assert isinstance(sight, Looked)
    assert dict(sight.facts) == {
        "version": "0.13.1",
        "builder": "default",
        "driver": "docker",
        "platforms": "linux/amd64, linux/386",
        "BuildKit": "v0.13.1",
    }


def test_a_builder_that_does_not_run_is_an_error(bench: Bench) -> None:
    inspected = INSPECTED.replace("running", "inactive")
    bench.script[("docker", "buildx", "inspect")] = DONE(inspected)
    assert bench.troubles("buildx") == [(Severity.ERROR, "the builder `default` does not run: inactive")]


def test_a_client_that_is_not_there_breaks_what_asks_it(bench: Bench) -> None:
    bench.script.clear()
    assert isinstance(bench.one("buildx"), Broken)


@pytest.mark.parametrize(("free", "severity"), [(5 * 10**9, Severity.WARNING), (10**8, Severity.ERROR)])
def test_little_space_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, free: int, severity: Severity
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free, total=10**12))
    bench.environ["HULLMARK_CACHE_DIR"] = str(bench.home / "cache/not/there/yet")
    assert [each for each, _ in bench.troubles("disk")] == [severity, severity]


def test_the_disk_of_an_engine_elsewhere_is_not_looked_at(bench: Bench) -> None:
    bench.host = "tcp://example.com:2375"
    sight = bench.one("disk")
    assert isinstance(sight, Looked)
    assert "not seen" in dict(sight.facts)


def test_a_large_build_cache_is_a_note_and_shared_records_count_once(bench: Bench) -> None:
    bench.cache = [
        {"Size": 30 * 10**9, "InUse": False},
        {"Size": 10**9, "InUse": True},
        {"Size": 30 * 10**9, "InUse": False, "Shared": True},
    ]
    sight = bench.one("build-cache")
    assert isinstance(sight, Looked)
    assert dict(sight.facts)["size"] == "31.0 GB" or "31" in dict(sight.facts)["size"]
    assert [each.severity for each in sight.troubles] == [Severity.NOTE]


def test_a_builder_that_is_too_busy_to_be_measured_breaks_one_examination(bench: Bench) -> None:
    def late(*_: Any, **__: Any) -> Any:
        raise TimeoutError("Read timed out. (read timeout=30.0)")

    bench._get = late  # type: ignore[method-assign]  # noqa: SLF001
    assert bench.one("build-cache") == Broken(
        error="the engine does not say what its builder keeps: not within 30 s"
    )
    assert bench.all().status is Status.UNCHECKED


def test_proxies_are_told_without_passwords(bench: Bench) -> None:
    bench.environ["https_proxy"] = "http://anna:geheim@proxy.example.com:3128"
    bench.info["HttpsProxy"] = "http://anna:geheim@proxy.example.com:3128"
    bench.configure(proxies={"default": {"httpsProxy": "http://anna:geheim@proxy.example.com:3128"}})
    sight = bench.one("proxies")
    assert isinstance(sight, Looked)
    assert "geheim" not in str(sight)
    assert [value for _, value in sight.facts] == ["http://***@proxy.example.com:3128"] * 3
    assert not sight.troubles


def test_a_proxy_that_builds_or_the_engine_lack_is_a_warning(bench: Bench) -> None:
    bench.environ["HTTPS_PROXY"] = "http://proxy.example.com:3128"
    assert [seen.partition(",")[0] for _, seen in bench.troubles("proxies")] == [
        "this host reaches out through a proxy (https_proxy)",
        "this host reaches out through a proxy",
    ]


@pytest.mark.parametrize("address", ["http://127.0.0.1:3128", "localhost:3128", "http://[::1]:3128"])
def test_a_proxy_of_this_hosts_loopback_is_of_no_use_to_builds(bench: Bench, address: str) -> None:
    bench.configure(proxies={"default": {"httpProxy": address}})
    ((severity, seen),) = bench.troubles("proxies")
    assert severity is Severity.WARNING
    assert address in seen


def test_a_bundle_that_is_not_there_is_an_error_and_one_that_is_is_a_note(bench: Bench) -> None:
    bundle = bench.home / "ca.pem"
    bundle.write_text("", encoding="ascii")
    bench.environ |= {"SSL_CERT_FILE": str(bundle), "PIP_CERT": "/not/there.pem"}
    troubles = bench.troubles("certificates")
    assert (Severity.ERROR, "PIP_CERT=/not/there.pem names what is not there") in troubles
    assert Severity.NOTE in {severity for severity, _ in troubles}


def test_a_credential_helper_that_is_missing_is_an_error_and_passwords_in_the_open_a_note(
    bench: Bench,
) -> None:
    bench.configure(
        credsStore="desktop",
        credHelpers={"registry.example.com": "pass"},
        auths={"a.example.com": {"auth": "Z2VoZWlt"}, "b.example.com": {}},
    )
    helper = bench.home / "bin/docker-credential-pass"
    helper.touch(mode=0o755)
    troubles = bench.troubles("credentials")
    assert [severity for severity, _ in troubles] == [Severity.ERROR, Severity.NOTE]
    assert "docker-credential-desktop" in troubles[0][1]
    assert "a.example.com" in troubles[1][1]
    assert "Z2VoZWlt" not in str(bench.all())


def test_a_configuration_of_the_client_that_is_no_json_breaks_what_reads_it(bench: Bench) -> None:
    bench.configure()
    (bench.home / ".docker/config.json").write_text("{", encoding="ascii")
    assert isinstance(bench.one("credentials"), Broken)
    assert isinstance(bench.one("proxies"), Broken)
    assert isinstance(bench.one("engine"), Looked)


@pytest.mark.parametrize(("minutes", "side"), [(-10, "behind"), (10, "ahead of")])
def test_a_clock_that_is_wrong_is_a_warning(bench: Bench, minutes: int, side: str) -> None:
    theirs = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    bench.info["SystemTime"] = theirs.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
    ((severity, seen),) = bench.troubles("clock")
    assert severity is Severity.WARNING
    assert side in seen
    assert " 600 s " in seen or " 599 s " in seen


def test_a_time_that_is_none_breaks_the_examination(bench: Bench) -> None:
    bench.info["SystemTime"] = "soon"
    assert isinstance(bench.one("clock"), Broken)


def _project(root: Path, port: int) -> Project:
    service = Service(name="web", image="web", build=None, span=SourceSpan(path="compose.yml"))
    ports = [{"target": 80, "published": str(port), "protocol": "tcp", "host_ip": "127.0.0.1"}]
    resolved = json.dumps({"services": {"web": {"ports": ports}}})
    return Project(name="demo", root=root, services=(service,), settings=Settings(), resolved=resolved)


def test_a_port_of_the_project_that_is_taken_is_told_with_who_holds_it(bench: Bench) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        bench.project = _project(bench.home, port)
        ((severity, seen),) = bench.troubles("ports")
    assert severity is Severity.WARNING
    assert seen.startswith(f"port {port} of `web` is held by process {os.getpid()}")
    assert bench.troubles("ports") == []


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (None, Skipped(reason="there is no Compose project here", moot=True)),
        (Unavailable("no Compose"), Skipped(reason="no Compose")),
    ],
)
def test_without_a_project_no_port_is_looked_at(
    bench: Bench, project: Exception | None, expected: Sight
) -> None:
    bench.project = project
    assert bench.one("ports") == expected


def test_a_project_that_cannot_be_used_is_an_error(bench: Bench) -> None:
    bench.project = ConfigurationError(["compose.yml:1:1: nonsense"])
    assert bench.troubles("ports") == [
        (Severity.ERROR, "the project cannot be used: compose.yml:1:1: nonsense")
    ]


@pytest.mark.parametrize(
    ("sights", "status"),
    [
        ((), Status.NOTHING),
        ((Skipped(reason="x", moot=True),), Status.NOTHING),
        ((Looked(), Skipped(reason="x", moot=True)), Status.CLEAN),
        ((Looked(), Skipped(reason="x")), Status.UNCHECKED),
        ((Looked(), Broken(error="x")), Status.UNCHECKED),
        ((Looked(troubles=(Trouble(severity=Severity.WARNING, seen="", remedy=""),)),), Status.CLEAN),
        (
            (Looked(troubles=(Trouble(severity=Severity.ERROR, seen="", remedy=""),)), Broken(error="x")),
            Status.FINDINGS,
        ),
    ],
)
def test_errors_decide_first_then_what_was_not_looked_at(sights: tuple[Sight, ...], status: Status) -> None:
    examined = tuple(Examined(examination=str(n), about="", sight=each) for n, each in enumerate(sights))
    assert Examinations(examined=examined).status is status
