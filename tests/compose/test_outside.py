"""What an isolated copy still shares with the world outside is said, and images that somebody names take the place of its own."""

from __future__ import annotations

import copy
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from hullmark._compose import isolate, with_images
from hullmark._compose.outside import name_services, unisolated
from hullmark.errors import UsageError
from hullmark.model.location import SourceSpan
from hullmark.model.project import Build, Project, Service, Settings


@pytest.mark.parametrize(
    ("service", "notes"),
    [
        ({}, []),
        ({"pid": "service:db", "ipc": "shareable", "network_mode": "none", "privileged": False}, []),
        (
            {"network_mode": "host"},
            ["`web` gets a network like the others instead of that of this machine (`network_mode: host`)"],
        ),
        (
            {"network_mode": "container:vpn"},
            ["`web` is in the network of the container `vpn`, which is none of the copy"],
        ),
        (
            {"pid": "host", "ipc": "host"},
            [
                "`web` shares the processes of this machine (`pid: host`), which cannot be isolated",
                "`web` shares the shared memory of this machine (`ipc: host`), which cannot be isolated",
            ],
        ),
        (
            {"uts": "host", "userns_mode": "host", "cgroup": "host"},
            [
                "`web` shares the host name of this machine (`uts: host`), which cannot be isolated",
                "`web` shares the users of this machine (`userns_mode: host`), which cannot be isolated",
                "`web` shares the control groups of this machine (`cgroup: host`), which cannot be isolated",
            ],
        ),
        (
            {"pid": "container:app"},
            ["`web` shares the processes of the container `app`, which is none of the copy"],
        ),
        ({"privileged": True}, ["`web` is privileged: nothing of this machine is out of its reach"]),
        (
            {"devices": [{"source": "/dev/dri", "target": "/dev/dri"}, "/dev/snd:/dev/snd"], "gpus": "all"},
            ["`web` uses `/dev/dri`, `/dev/snd`, the GPUs of this machine, as any other copy does"],
        ),
        (
            {"deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}}},
            ["`web` uses devices (gpu) of this machine, as any other copy does"],
        ),
        (
            {"volumes_from": ["container:backup:ro", "db"]},
            ["`web` mounts the volumes of the container `backup`, which is none of the copy"],
        ),
    ],
)
def test_what_cannot_be_isolated_is_named(service: dict[str, Any], notes: list[str]) -> None:
    assert list(unisolated({"web": service})) == notes


def test_containers_of_the_project_itself_are_named_by_their_services() -> None:
    services: dict[str, Any] = {
        "db": {"image": "x", "container_name": "the-db"},
        "web": {"image": "x", "depends_on": {"db": {"condition": "service_healthy"}}},
        "a": {"network_mode": "container:the-db", "pid": "container:tale-web-1"},
        "b": {"ipc": "container:tale_web_2", "volumes_from": ["container:the-db:ro", "container:other"]},
        "c": {"network_mode": "container:tale-gone-1", "pid": "container:tale-web-1-old", "ipc": "host"},
        "d": {"network_mode": "container:other-web-1", "ipc": "container:tale-d-1"},
    }
    before = copy.deepcopy({name: services[name] for name in ("db", "web", "c", "d")})
    assert name_services({"name": "tale", "services": services})
    assert {name: services[name] for name in ("db", "web", "c", "d")} == before
    assert (services["a"]["network_mode"], services["a"]["pid"]) == ("service:db", "service:web")
    assert sorted(services["a"]["depends_on"]) == ["db", "web"]
    assert services["b"]["ipc"] == "service:web"
    assert services["b"]["volumes_from"] == ["db:ro", "container:other"]
    assert not name_services({"name": "tale", "services": {name: services[name] for name in ("c", "d")}})


def _project(services: dict[str, Any], root: Path = Path("/tale"), **settings: Any) -> Project:
    return Project(
        name="tale",
        root=root,
        services=tuple(
            Service(
                name=name,
                image=value.get("image") or f"tale-{name}",
                build=Build(context="/tale", dockerfile="/tale/Dockerfile") if value.get("build") else None,
                span=SourceSpan(path="compose.yml"),
            )
            for name, value in sorted(services.items())
        ),
        settings=Settings(**settings),
        resolved=json.dumps({"name": "tale", "services": services}),
    )


def test_a_socket_of_this_machine_is_named_unless_the_project_says_that_it_is_shared(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        mount = {"type": "bind", "source": str(path), "target": "/s"}
        services = {"a": {"image": "x", "volumes": [mount]}, "b": {"image": "x", "volumes": [mount]}}
        made = isolate(_project(services, tmp_path), name="c", labels={}, reach={})
        assert made.notes == (f"`{path}` of this machine is mounted in `a`, `b` as it is",)
        shared = _project(services, tmp_path, smoke_shared=(str(path),))
        assert isolate(shared, name="c", labels={}, reach={}).notes == ()


def test_a_service_on_the_network_of_the_host_says_that_it_is_not_in_the_copy() -> None:
    made = isolate(
        _project({"web": {"image": "x", "network_mode": "host"}}), name="c", labels={}, reach={"web": [80]}
    )
    assert "network_mode" not in json.loads(made.configuration)["services"]["web"]
    assert made.notes == tuple(unisolated({"web": {"network_mode": "host"}}))


DIGEST = f"localhost:5000/web@sha256:{'0' * 64}"


def test_an_image_that_is_named_is_run_and_not_built_and_that_is_said() -> None:
    project = with_images(
        _project({"web": {"build": {"context": "."}}, "db": {"image": "pg"}}), {"web": DIGEST}
    )
    assert (project.service("web").image, project.service("web").build) == (DIGEST, None)
    assert project.service("db").image == "pg"
    assert project.given == ("web",)
    made = isolate(project, name="c", labels={}, reach={})
    web = json.loads(made.configuration)["services"]["web"]
    assert (web["image"], web["pull_policy"], web.get("build")) == (DIGEST, "never", None)
    assert made.notes == (f"`web` runs `{DIGEST}`, as it was asked for",)


def test_another_program_of_an_image_that_is_named_is_started_from_the_same_one() -> None:
    services = {
        "web": {"image": "shop-web:dev", "build": {"context": "."}},
        "site": {"image": "shop-web:dev"},
        "own": {"image": "shop-web:dev", "build": {"context": "./own"}},
        "db": {"image": "pg"},
    }
    project = with_images(_project(services), {"web": DIGEST}, platform="linux/arm64")
    assert [each.image for each in project.services if each.name in {"web", "site"}] == [DIGEST, DIGEST]
    assert (project.service("own").image, project.service("db").image) == ("shop-web:dev", "pg")
    resolved = json.loads(project.resolved)["services"]
    assert {name for name, each in resolved.items() if each.get("platform") == "linux/arm64"} == {
        "web",
        "site",
    }


def test_what_is_no_service_and_what_is_no_image_are_told_together() -> None:
    with pytest.raises(UsageError) as caught:
        with_images(_project({"web": {"image": "x"}}), {"wbe": "x", "web": "UPPER"})
    assert "no service `wbe` in the project; did you mean `web`?" in caught.value.message
    assert "the image given for `web`: `UPPER`" in caught.value.message


def test_without_images_a_project_stays_what_it_is() -> None:
    project = _project({"web": {"build": {"context": "."}}})
    assert with_images(project, {}) == project
