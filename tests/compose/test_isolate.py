"""A copy of a project keeps what it does and gives up what only one of its kind can have."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._compose import carrier, isolate, with_restart_policies
from hullmark._compose.isolate import DOOR
from hullmark.model.location import SourceSpan
from hullmark.model.project import Build, Project, Service, ServiceSettings, Settings

RUN = {"dev.hullmark.run": "copy"}


def _project(
    services: dict[str, Any],
    *,
    images: dict[str, str] | None = None,
    root: Path = Path("/tale"),
    shared: tuple[str, ...] = (),
    **rest: Any,
) -> Project:
    """A project as Compose resolves it."""
    images = images or {}
    raw = {"name": "tale", "services": services, "networks": {"default": {"name": "tale_default"}}, **rest}
    return Project(
        name="tale",
        root=root,
        services=tuple(
            Service(
                name=name,
                image=images.get(name) or value.get("image") or f"tale-{name}",
                build=Build(context="/tale", dockerfile="/tale/Dockerfile") if value.get("build") else None,
                span=SourceSpan(path="compose.yml"),
            )
            for name, value in sorted(services.items())
        ),
        settings=Settings(smoke_shared=shared),
        resolved=json.dumps(raw),
    )


def _isolated(project: Project, **options: Any) -> dict[str, Any]:
    options = {"name": "copy", "labels": RUN, "reach": {}, **options}
    copy: dict[str, Any] = json.loads(isolate(project, **options).configuration)
    return copy


def _service(value: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The isolated copy of one service called `web`."""
    copy: dict[str, Any] = _isolated(_project({"web": value}), **options)["services"]["web"]
    return copy


def _port(target: int, protocol: str = "tcp") -> dict[str, Any]:
    return {"target": target, "protocol": protocol, "host_ip": "127.0.0.1", "mode": "ingress"}


@pytest.mark.parametrize(
    ("declared", "published"),
    [
        ([], []),
        ([{"target": 80, "published": "8080", "protocol": "tcp", "mode": "ingress"}], [_port(80)]),
        ([{"target": 80, "published": "8080", "host_ip": "0.0.0.0"}], [_port(80)]),  # noqa: S104
        ([{"target": 80, "published": "8000-8010"}], [_port(80)]),
        ([{"target": 80, "mode": "host", "published": "80"}], [_port(80)]),
        ([{"target": 53, "published": "53", "protocol": "udp"}], [_port(53, "udp")]),
        ([{"target": 53, "protocol": "udp"}, {"target": 53}], [_port(53), _port(53, "udp")]),
        ([{"target": 81, "published": "8001"}, {"target": 80, "published": "8000"}], [_port(80), _port(81)]),
        ([{"target": 80, "published": "1"}, {"target": 80, "published": "2"}], [_port(80)]),
        ([{"target": "80", "published": "1"}], [_port(80)]),
    ],
)
def test_every_port_is_published_on_a_free_port_of_the_loopback_interface(
    declared: list[dict[str, Any]], published: list[dict[str, Any]]
) -> None:
    assert _service({"image": "x", "ports": declared})["ports"] == published


def test_ports_that_are_to_be_reached_are_published_once() -> None:
    value = {"image": "x", "ports": [{"target": 80, "published": "80"}]}
    assert _service(value, reach={"web": [2020, 80, 2020]})["ports"] == [_port(80), _port(2020)]


def test_reach_of_a_service_that_is_not_there_changes_nothing() -> None:
    assert _service({"image": "x"}, reach={"other": [1]})["ports"] == []


def test_a_fixed_container_name_becomes_an_alias_by_which_others_still_find_it() -> None:
    value = {"image": "x", "container_name": "tale-db", "networks": {"a": None, "b": {"aliases": ["q"]}}}
    web = _service(value)
    assert "container_name" not in web
    assert web["networks"] == {"a": {"aliases": ["tale-db"]}, "b": {"aliases": ["q", "tale-db"]}}


def test_a_fixed_container_name_becomes_an_alias_on_the_default_network_too() -> None:
    web = _service({"image": "x", "container_name": "tale-db"})
    assert web["networks"] == {"default": {"aliases": ["tale-db"]}}


def test_aliases_and_priorities_stay_and_addresses_go() -> None:
    settings = {
        "aliases": ["q"],
        "priority": 100,
        "ipv4_address": "10.9.0.3",
        "ipv6_address": "fd00::3",
        "link_local_ips": ["169.254.0.1"],
        "mac_address": "02:42:ac:11:00:02",
    }
    web = _service({"image": "x", "mac_address": "02:42:ac:11:00:03", "networks": {"default": settings}})
    assert web["networks"] == {"default": {"aliases": ["q"], "priority": 100}}
    assert "mac_address" not in web


@pytest.mark.parametrize("mode", ["host", None])
def test_a_service_on_the_network_of_the_host_gets_one_of_its_own(mode: str | None) -> None:
    web = _service({"image": "x", "network_mode": mode, "container_name": "n"}, reach={"web": [80]})
    assert not web.get("network_mode")
    assert web["ports"] == [_port(80)]
    assert web["networks"] == {"default": {"aliases": ["n"]}}


def test_the_network_that_it_gets_carries_the_labels_by_which_it_is_removed() -> None:
    project = _project(
        {"web": {"image": "x", "network_mode": "host"}, "db": {"image": "x", "networks": {"n": None}}}
    )
    copy = json.loads(isolate(project, name="copy", labels=RUN, reach={}).configuration)
    assert copy["networks"]["default"]["labels"] == RUN


def test_ports_of_a_service_on_the_network_of_another_are_published_there() -> None:
    copy = _isolated(
        _project(
            {
                "a": {"image": "x", "network_mode": "service:b"},
                "b": {"image": "x", "network_mode": "service:c", "ports": [{"target": 7, "protocol": "udp"}]},
                "c": {"image": "x", "ports": [{"target": 9, "published": "9"}]},
            }
        ),
        reach={"a": [8]},
    )["services"]
    assert copy["a"]["ports"] == copy["b"]["ports"] == []
    assert copy["c"]["ports"] == [_port(7, "udp"), _port(8), _port(9)]
    assert copy["a"]["network_mode"] == "service:b"
    assert "networks" not in copy["a"]


@pytest.mark.parametrize(
    ("mode", "owner"),
    [(None, "web"), ("host", "web"), ("service:db", "db"), ("service:gone", "gone"), ("service:web", "web")],
)
def test_the_carrier_of_a_service_is_whose_network_it_is_on(mode: str | None, owner: str) -> None:
    project = _project({"web": {"image": "x", "network_mode": mode}, "db": {"image": "x"}})
    assert carrier(project, "web") == owner


@pytest.mark.parametrize("mode", ["none", "container:other", "service:web", "service:nowhere"])
def test_a_service_without_a_network_that_could_publish_publishes_nothing(mode: str) -> None:
    web = _service({"image": "x", "network_mode": mode}, reach={"web": [80]})
    assert web["ports"] == []
    assert web["network_mode"] == mode
    assert "networks" not in web


def test_what_is_only_on_internal_networks_gets_a_door_for_this_host() -> None:
    networks = {"inner": {"name": "tale_inner", "internal": True}, "outer": {"name": "tale_outer"}}
    copy = _isolated(
        _project(
            {
                "db": {"image": "x", "networks": {"inner": None}},
                "mute": {"image": "x", "networks": {"inner": None}},
                "web": {"image": "x", "networks": {"inner": None, "outer": None}},
            },
            networks=networks,
        ),
        reach={"db": [5432], "web": [80]},
    )
    joined = {name: sorted(value["networks"]) for name, value in copy["services"].items()}
    assert joined == {"db": [DOOR, "inner"], "mute": ["inner"], "web": ["inner", "outer"]}
    assert copy["networks"]["inner"]["internal"] is True
    # Whoever could not call the world through it still cannot.
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    assert copy["networks"][DOOR]["driver_opts"] == {masquerade: "false"}
    assert copy["networks"][DOOR]["labels"] == RUN


def test_no_door_is_made_where_none_is_needed() -> None:
    assert set(_isolated(_project({"web": {"image": "x"}}), reach={"web": [80]})["networks"]) == {"default"}


def test_names_and_addresses_of_networks_go() -> None:
    network = {
        "name": "fixed",
        "driver": "bridge",
        "ipam": {"config": [{"subnet": "10.9.0.0/24"}, {"subnet": "fd00::/64"}]},
        "enable_ipv6": True,
        "driver_opts": {"com.docker.network.bridge.name": "br-tale", "com.docker.network.driver.mtu": "1400"},
        "labels": {"mine": "1"},
    }
    copy = _isolated(_project({"web": {"image": "x"}}, networks={"default": network}))
    assert copy["networks"]["default"] == {
        "driver": "bridge",
        "driver_opts": {"com.docker.network.driver.mtu": "1400"},
        "labels": {"mine": "1", **RUN},
    }


def test_a_network_that_asks_for_ipv6_without_addresses_keeps_asking() -> None:
    copy = _isolated(
        _project({"web": {"image": "x"}}, networks={"default": {"enable_ipv6": True, "ipam": {}}})
    )
    assert copy["networks"]["default"]["enable_ipv6"] is True


def test_names_of_volumes_go_and_what_they_are_made_of_stays() -> None:
    volume = {"name": "fixed", "driver": "local", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}}
    copy = _isolated(_project({"web": {"image": "x"}}, volumes={"data": volume, "plain": None}))
    assert copy["volumes"] == {
        "data": {"driver": "local", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}, "labels": RUN},
        "plain": {"labels": RUN},
    }


@pytest.mark.parametrize("kind", ["networks", "volumes"])
def test_what_is_external_becomes_private_and_that_is_said(kind: str) -> None:
    declared: Any = {kind: {"e": {"name": "shared", "external": True}}}
    copy = isolate(_project({"web": {"image": "x"}}, **declared), name="copy", labels=RUN, reach={})
    assert json.loads(copy.configuration)[kind] == {"e": {"labels": RUN}}
    assert copy.notes == (f"external {kind[:-1]} `e` is replaced by a private one, empty at first",)


@pytest.mark.parametrize("kind", ["networks", "volumes"])
def test_what_is_external_and_shared_stays_as_it_is(kind: str) -> None:
    external = {"name": "company", "external": True}
    declared: Any = {kind: {"e": external, "f": external}}
    project = _project({"web": {"image": "x"}}, shared=("e",), **declared)
    copy = isolate(project, name="copy", labels=RUN, reach={})
    assert json.loads(copy.configuration)[kind] == {"e": external, "f": {"labels": RUN}}
    assert len(copy.notes) == 1


def test_a_volume_on_a_server_is_private_unless_it_is_shared() -> None:
    volume = {"driver_opts": {"type": "nfs", "o": "addr=10.0.0.1", "device": ":/data"}}
    for shared, kept in (((), {"labels": RUN}), (("v",), {**volume, "labels": RUN})):
        project = _project({"web": {"image": "x"}}, shared=shared, volumes={"v": volume})
        assert _isolated(project)["volumes"]["v"] == kept


def test_everything_that_is_created_carries_the_labels() -> None:
    copy = _isolated(
        _project({"a": {"image": "x", "labels": {"mine": "1"}}, "b": {"image": "x"}}, volumes={"v": {}})
    )
    assert copy["services"]["a"]["labels"] == {"mine": "1", **RUN}
    assert copy["services"]["b"]["labels"] == RUN
    assert copy["networks"]["default"]["labels"] == RUN
    assert copy["volumes"]["v"]["labels"] == RUN


def test_the_labels_win_over_what_the_project_gives_them() -> None:
    (key,) = RUN
    assert _service({"image": "x", "labels": {key: "forged"}})["labels"] == RUN


def test_images_are_run_as_they_are_and_neither_built_nor_pulled() -> None:
    web = _service({"build": {"context": "/tale"}, "pull_policy": "build"})
    assert (web["image"], web["pull_policy"]) == ("tale-web", "never")
    assert "build" not in web


def test_an_image_of_others_keeps_its_pull_policy() -> None:
    web = _service({"image": "x", "pull_policy": "always"})
    assert (web["image"], web["pull_policy"]) == ("x", "always")


def test_a_service_of_an_enabled_profile_is_started_without_naming_the_profile_again() -> None:
    assert "profiles" not in _service({"image": "x", "profiles": ["debug"]})


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"test": ["CMD", "x"], "start_period": "20s"}, {"start_interval": "1s"}),
        ({"test": ["CMD", "x"], "start_period": "20s", "start_interval": "9s"}, {"start_interval": "9s"}),
        ({"test": ["CMD", "x"]}, {}),
        ({"test": ["NONE"], "start_period": "20s"}, {}),
        ({"disable": True, "start_period": "20s"}, {}),
    ],
)
def test_a_health_check_is_hurried_only_in_a_start_period(
    check: dict[str, Any], expected: dict[str, Any]
) -> None:
    web = _service({"image": "x", "healthcheck": check}, start_interval=True)
    assert web["healthcheck"] == {**check, **expected}


def test_a_health_check_of_the_image_is_hurried_in_the_period_that_the_image_sets() -> None:
    web = _service({"image": "x"}, start_interval=True, start_periods={"web": "7s"})
    assert web["healthcheck"] == {"start_interval": "1s", "start_period": "7s"}


def test_a_health_check_is_left_alone_where_the_engine_cannot_hurry_it() -> None:
    check = {"test": ["CMD", "x"], "start_period": "20s"}
    assert _service({"image": "x", "healthcheck": check}, start_periods={"web": "7s"})["healthcheck"] == check


def test_a_service_without_a_health_check_is_given_none() -> None:
    assert "healthcheck" not in _service({"image": "x"}, start_interval=True)


def test_everything_else_of_a_service_stays() -> None:
    value = {
        "image": "x",
        "command": ["echo", "$$HOME"],
        "depends_on": {"db": {"condition": "service_healthy"}},
        "links": ["db:database"],
        "external_links": ["their:db"],
        "volumes_from": ["container:other", "db:ro"],
        "volumes": [{"type": "volume", "source": "v", "target": "/src"}],
        "secrets": [{"source": "s"}],
        "configs": [{"source": "c"}],
        "environment": {"A": "1"},
        "hostname": "host",
        "extra_hosts": ["a=10.0.0.1"],
    }
    web = _service(value)
    assert {key: web[key] for key in value} == value


def test_restart_policies_are_off_but_for_services_that_may_be_started_again_and_can_be_given_back() -> None:
    policy = {"condition": "on-failure", "max_attempts": 3}
    services: dict[str, Any] = {
        "web": {"image": "x", "restart": "always"},
        "job": {"image": "x", "deploy": {"restart_policy": policy, "replicas": 1}},
        "patient": {"image": "x", "restart": "unless-stopped"},
    }
    project = _project(services)
    allowed = Settings(services=(("patient", ServiceSettings(restarts=5)),))
    project = replace(project, settings=allowed)
    copy = _isolated(project)["services"]
    assert "restart" not in copy["web"]
    assert copy["job"]["deploy"] == {"replicas": 1}
    assert copy["patient"]["restart"] == "unless-stopped"
    back = json.loads(with_restart_policies(project, json.dumps({"services": copy})))["services"]
    assert [back[name].get("restart") for name in services] == ["always", None, "unless-stopped"]
    assert back["job"]["deploy"] == {"restart_policy": policy, "replicas": 1}


def test_secrets_and_configurations_stay() -> None:
    secrets = {"s": {"name": "tale_s", "environment": "SECRET"}, "f": {"name": "tale_f", "file": "/tale/f"}}
    configs = {"c": {"name": "tale_c", "content": "a $$B"}}
    copy = _isolated(_project({"web": {"image": "x"}}, secrets=secrets, configs=configs))
    assert (copy["secrets"], copy["configs"]) == (secrets, configs)


def test_a_project_without_services_is_isolated_to_one_without_services() -> None:
    assert _isolated(_project({}))["services"] == {}


def test_the_project_itself_is_not_changed() -> None:
    project = _project({"web": {"image": "x", "container_name": "n", "ports": [{"target": 1}]}})
    before = project.resolved
    _isolated(project, reach={"web": [2]})
    assert project.resolved == before


_NAMES = st.sampled_from(["db", "web", "rag", "proxy"])
_PORTS = st.lists(
    st.fixed_dictionaries(
        {"target": st.integers(1, 9)},
        optional={
            "published": st.sampled_from(["80", "8000-8010"]),
            "protocol": st.sampled_from(["tcp", "udp"]),
            "host_ip": st.just("0.0.0.0"),  # noqa: S104
        },
    ),
    max_size=3,
)
_JOINED = st.fixed_dictionaries(
    {},
    optional={"aliases": st.lists(st.sampled_from("abc"), max_size=2), "ipv4_address": st.just("10.0.0.2")},
)
_SERVICES = st.dictionaries(
    _NAMES,
    st.fixed_dictionaries(
        {"image": st.just("x")},
        optional={
            "build": st.just({"context": "/tale"}),
            "container_name": st.sampled_from(["one", "two"]),
            "ports": _PORTS,
            "profiles": st.just(["p"]),
            "labels": st.dictionaries(st.sampled_from("xy"), st.just("1")),
            "healthcheck": st.fixed_dictionaries(
                {},
                optional={
                    "test": st.just(["CMD", "t"]),
                    "start_period": st.just("3s"),
                    "disable": st.booleans(),
                },
            ),
        },
    ).flatmap(
        lambda service: st.one_of(
            st.just(service),
            st.builds(
                lambda mode: {**service, "network_mode": mode},
                st.sampled_from(["host", "none", "container:c", "service:db", "service:web"]),
            ),
            st.builds(
                lambda joined: {**service, "networks": joined},
                st.dictionaries(st.sampled_from(["inner", "outer"]), st.none() | _JOINED, min_size=1),
            ),
        )
    ),
)
_RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("fixed"),
        "external": st.booleans(),
        "internal": st.booleans(),
        "enable_ipv6": st.booleans(),
        "ipam": st.sampled_from([{}, {"config": [{"subnet": "10.0.0.0/24"}]}]),
        "driver_opts": st.just({"com.docker.network.bridge.name": "br0"}),
    },
)
_PROJECTS = st.builds(
    lambda services, networks, volumes: _project(services, networks=networks, volumes=volumes),
    _SERVICES,
    st.fixed_dictionaries({"inner": _RESOURCES, "outer": _RESOURCES}),
    st.dictionaries(st.sampled_from(["v", "w"]), st.none() | _RESOURCES),
)
_REACH = st.dictionaries(_NAMES, st.lists(st.integers(1, 12), max_size=3))


@given(project=_PROJECTS, reach=_REACH, hurry=st.booleans())
def test_isolating_a_copy_the_same_way_again_changes_nothing(
    project: Project, reach: dict[str, list[int]], *, hurry: bool
) -> None:
    options: dict[str, Any] = {"reach": reach, "start_interval": hurry, "start_periods": {"db": "9s"}}
    once = isolate(project, name="copy", labels=RUN, **options).configuration
    again = Project(
        name="copy", root=project.root, services=project.services, settings=project.settings, resolved=once
    )
    twice = isolate(again, name="copy", labels=RUN, **options).configuration
    assert json.loads(twice) == json.loads(once)


@given(project=_PROJECTS, reach=_REACH)
def test_two_copies_share_no_name_no_port_and_no_address(
    project: Project, reach: dict[str, list[int]]
) -> None:
    copies = [_isolated(project, name=name, reach=reach) for name in ("one", "two")]
    for copy in copies:
        for service in copy["services"].values():
            assert not {"container_name", "mac_address", "build"} & set(service)
            assert service.get("network_mode") != "host"
            for port in service["ports"]:
                assert "published" not in port
                assert port["host_ip"] == "127.0.0.1"
            for joined in (service.get("networks") or {}).values():
                assert not {"ipv4_address", "ipv6_address", "mac_address"} & set(joined or {})
        for kind in ("networks", "volumes"):
            for resource in copy[kind].values():
                assert resource.get("external") or not {"name", "ipam"} & set(resource)
    assert copies[0]["name"] != copies[1]["name"]


@given(project=_PROJECTS, reach=_REACH)
def test_whatever_can_be_published_is_reached(project: Project, reach: dict[str, list[int]]) -> None:
    copy = _isolated(project, reach=reach)
    raw = json.loads(project.resolved)
    for name, ports in reach.items():
        mode = raw["services"].get(name, {}).get("network_mode", "host")
        if name in copy["services"] and mode == "host":
            assert {(port, "tcp") for port in ports} <= {
                (port["target"], port["protocol"]) for port in copy["services"][name]["ports"]
            }
