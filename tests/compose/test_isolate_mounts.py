"""What services mount from this host: what a copy mounts instead, and what it leaves as it is."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._compose import isolate, unscaled
from hullmark.model.location import SourceSpan
from hullmark.model.project import Project, Service, Settings

if TYPE_CHECKING:
    from hullmark.model.stack_copy import StackCopy

RUN = {"dev.hullmark.run": "copy"}
VOLUME = {"nocopy": True}


def _project(root: Path, services: dict[str, Any], *, shared: tuple[str, ...] = (), **rest: Any) -> Project:
    """A project in `root` as Compose resolves it."""
    return Project(
        name="tale",
        root=root,
        services=tuple(
            Service(name=name, image="x", build=None, span=SourceSpan(path="compose.yml"))
            for name in sorted(services)
        ),
        settings=Settings(smoke_shared=shared),
        resolved=json.dumps({"name": "tale", "services": services, **rest}),
    )


def _copy(root: Path, services: dict[str, Any], **rest: Any) -> tuple[StackCopy, dict[str, Any]]:
    copy = isolate(_project(root, services, **rest), name="copy", labels=RUN, reach={})
    return copy, json.loads(copy.configuration)


def _bind(source: Path, target: str = "/data", **more: Any) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": str(source),
        "target": target,
        "bind": {"create_host_path": True},
        **more,
    }


def _web(*volumes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"image": "x", "volumes": list(volumes), **more}


def test_a_directory_that_is_written_to_becomes_a_volume(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    copy, raw = _copy(tmp_path, {"web": _web(_bind(tmp_path / "data"))})
    assert raw["services"]["web"]["volumes"] == [
        {"type": "volume", "source": "hullmark-copy-0", "target": "/data", "volume": VOLUME}
    ]
    assert raw["volumes"] == {"hullmark-copy-0": {"labels": RUN}}
    (directory,) = copy.directories
    assert (directory.source, directory.shown) == (str(tmp_path / "data"), "./data")
    assert directory.volume == "copy_hullmark-copy-0"
    assert str(directory) == "`./data:/data` of service `web`"


def test_services_that_mount_the_same_directory_share_one_volume_however_they_name_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to("data")
    copy, raw = _copy(
        tmp_path,
        {
            "a": _web(_bind(tmp_path / "data")),
            "b": _web(_bind(tmp_path / "link", "/other", read_only=True)),
        },
    )
    assert [item.mounts for item in copy.directories] == [(("a", "/data"), ("b", "/other"))]
    (a,), (b,) = (raw["services"][name]["volumes"] for name in "ab")
    assert a["source"] == b["source"] == "hullmark-copy-0"
    # Who only reads goes on only reading.
    assert b["read_only"] is True


def test_what_everybody_only_reads_stays_and_is_not_created(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "file").touch()
    mounts = [_bind(tmp_path / name, f"/{name}", read_only=True) for name in ("conf", "file")]
    copy, raw = _copy(tmp_path, {"web": _web(*mounts)})
    assert raw["services"]["web"]["volumes"] == [
        {**mount, "bind": {"create_host_path": False}} for mount in mounts
    ]
    assert not copy.directories
    assert not copy.files
    assert not copy.notes


def test_a_mount_that_the_engine_has_to_relabel_is_asked_for_as_before(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    bind = {"create_host_path": True, "selinux": "z"}
    _, raw = _copy(tmp_path, {"web": _web(_bind(tmp_path / "conf", read_only=True, bind=bind))})
    assert raw["services"]["web"]["volumes"][0]["bind"] == bind


def test_a_source_that_is_not_there_becomes_an_empty_volume_where_compose_would_create_it(
    tmp_path: Path,
) -> None:
    copy, raw = _copy(tmp_path, {"web": _web(_bind(tmp_path / "gone"))})
    assert raw["services"]["web"]["volumes"][0]["source"] == "hullmark-copy-0"
    assert not copy.directories
    assert copy.notes == ("`./gone` does not exist and is replaced by an empty volume",)
    mount = _bind(tmp_path / "gone", bind={})
    _, raw = _copy(tmp_path, {"web": _web(mount)})
    # Compose refuses the project itself, and so it does the copy.
    assert raw["services"]["web"]["volumes"] == [{**mount, "bind": {"create_host_path": False}}]


def test_a_file_that_is_written_to_is_copied_into_the_container(tmp_path: Path) -> None:
    (tmp_path / "users").touch()
    copy, raw = _copy(tmp_path, {"web": _web(_bind(tmp_path / "users", "/etc/users"))})
    assert raw["services"]["web"]["volumes"] == []
    (file,) = copy.files
    assert (file.source, file.service, file.target) == (str(tmp_path / "users"), "web", "/etc/users")


@pytest.mark.parametrize(
    "more",
    [{"read_only": True}, {"tmpfs": ["/etc:size=1m"]}, {"volumes": [{"type": "volume", "target": "/etc"}]}],
    ids=["a root that is read-only", "a tmpfs", "a volume"],
)
def test_a_file_that_cannot_be_copied_there_is_mounted_read_only(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    (tmp_path / "users").touch()
    value = {"image": "x", **more}
    value["volumes"] = [*value.get("volumes", ()), _bind(tmp_path / "users", "/etc/users")]
    copy, raw = _copy(tmp_path, {"web": value})
    assert raw["services"]["web"]["volumes"][-1]["read_only"] is True
    assert not copy.files
    assert copy.notes == ("`./users` is mounted read-only in `web`",)


def test_sockets_devices_and_the_running_system_stay(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        sources = [path, Path("/dev/null"), Path("/dev"), Path("/sys"), Path("/run/nothing-of-the-kind")]
        copy, raw = _copy(tmp_path, {"web": _web(*(_bind(each, f"/{n}") for n, each in enumerate(sources)))})
    assert [each["source"] for each in raw["services"]["web"]["volumes"]] == [str(each) for each in sources]
    assert not copy.directories
    assert not raw.get("volumes")


def test_a_volume_that_stands_for_a_directory_is_copied_like_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x").touch()
    volumes = {
        "data": {"name": "d", "driver_opts": {"type": "none", "o": "bind", "device": str(tmp_path / "data")}},
        "gone": {"name": "g", "driver_opts": {"type": "none", "o": "bind", "device": str(tmp_path / "gone")}},
        "seen": {"name": "s", "driver_opts": {"o": "bind,ro", "device": str(tmp_path / "data/..")}},
    }
    mounts = [
        {"type": "volume", "source": name, "target": f"/{name}", "volume": {}} for name in sorted(volumes)
    ]
    copy, raw = _copy(tmp_path, {"web": _web(*mounts)}, volumes=volumes)
    data, gone, seen = raw["services"]["web"]["volumes"]
    assert [item.mounts for item in copy.directories] == [(("web", "/data"),)]
    assert data["volume"] == VOLUME
    # As long as it is empty it starts with what the image has there, as before.
    assert (gone["type"], gone["volume"]) == ("volume", {})
    assert (seen["type"], seen["read_only"]) == ("bind", True)
    assert set(raw["volumes"]) == {data["source"], gone["source"]}
    assert all(set(volume) == {"labels"} for volume in raw["volumes"].values())


def test_a_directory_that_is_shared_stays(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    mount = _bind(tmp_path / "models")
    copy, raw = _copy(tmp_path, {"web": _web(mount)}, shared=("./models",))
    assert raw["services"]["web"]["volumes"] == [{**mount, "bind": {"create_host_path": False}}]
    assert not copy.directories


@pytest.mark.parametrize(
    ("value", "none"),
    [({}, False), ({"scale": 0}, True), ({"deploy": {"replicas": 0}}, True), ({"scale": 2}, False)],
)
def test_of_a_service_that_is_scaled_to_nothing_no_container_is_wanted(
    tmp_path: Path, value: dict[str, Any], *, none: bool
) -> None:
    project = _project(tmp_path, {"web": {"image": "x", **value}})
    assert unscaled(project) == ({"web"} if none else frozenset())
    # Unless it is what somebody wants to see.
    raw = json.loads(isolate(project, name="c", labels=RUN, reach={}, needed=("web",)).configuration)
    again = _project(tmp_path, raw["services"])
    assert not unscaled(again)
