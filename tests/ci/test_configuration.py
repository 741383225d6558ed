"""What differs between two resolved projects, and which files Compose reads to resolve one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci.compose_files import compose_files
from hullmark._ci.configuration import differences, settings_difference

if TYPE_CHECKING:
    from pathlib import Path

PROJECT: dict[str, Any] = {
    "name": "p",
    "services": {
        "web": {
            "build": {"context": "/p", "args": {"A": "1"}},
            "environment": {"X": "1"},
            "networks": {"default": None},
            "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
        },
        "db": {"image": "db", "secrets": [{"source": "key"}], "networks": {"back": None}},
    },
    "networks": {"default": {"name": "p_default"}, "back": {"name": "p_back"}},
    "volumes": {"data": {"name": "p_data"}},
    "secrets": {"key": {"file": "/p/key"}},
}


def _changed(*path: str, to: Any) -> tuple[tuple[str | None, str, bool], ...]:
    after = json.loads(json.dumps(PROJECT))
    table = after
    for key in path[:-1]:
        table = table[key]
    if to is None:
        del table[path[-1]]
    else:
        table[path[-1]] = to
    found = differences(json.dumps(PROJECT), json.dumps(after))
    return tuple((each.service, each.key, each.builds) for each in found)


@pytest.mark.parametrize(
    ("path", "to", "expected"),
    [
        (("services", "web", "build", "args", "A"), "2", (("web", "build.args.A", True),)),
        (("services", "web", "build", "target"), "x", (("web", "build.target", True),)),
        (("services", "web", "platform"), "linux/arm64", (("web", "platform", True),)),
        (("services", "web", "image"), "other", (("web", "image", True),)),
        (("services", "web", "environment", "X"), "2", (("web", "environment.X", False),)),
        (("services", "web", "environment", "X"), None, (("web", "environment.X", False),)),
        (("services", "new"), {"image": "x"}, (("new", "", True),)),
        (("services", "db"), None, ()),
        (("name",), "q", ((None, "name", True),)),
        (("networks", "back", "name"), "x", (("db", "networks.back of the project", False),)),
        (("volumes", "data", "name"), "x", (("web", "volumes.data of the project", False),)),
        (("secrets", "key", "file"), "/p/x", (("db", "secrets.key of the project", False),)),
        (("networks", "unused"), {"name": "x"}, ()),
    ],
)
def test_a_difference_is_one_for_the_services_that_it_is_about(
    path: tuple[str, ...], to: Any, expected: tuple[tuple[str | None, str, bool], ...]
) -> None:
    assert _changed(*path, to=to) == expected


def test_equal_projects_do_not_differ() -> None:
    assert differences(json.dumps(PROJECT), json.dumps(PROJECT, indent=1)) == ()


def test_no_difference_tells_a_value() -> None:
    after = json.loads(json.dumps(PROJECT))
    after["services"]["web"]["environment"] = {"PASSWORD": "hunter2"}
    assert "hunter2" not in repr(differences(json.dumps(PROJECT), json.dumps(after)))


def test_every_file_that_compose_may_read_is_known(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(
        """
        include:
          - one/compose.yml
          - path: [two/a.yml, two/b.yml]
            project_directory: elsewhere
            env_file: two/env
          - oci://registry.example/project
        services:
          a:
            extends: {file: base.yml, service: x}
            env_file: [a.env, {path: b.env, required: false}]
            environment: !override {A: 1}
          b: {env_file: c.env, label_file: labels}
        """,
        encoding="utf-8",
    )
    (tmp_path / "base.yml").write_text("services: {x: {env_file: sub/base.env}}", encoding="utf-8")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "compose.yml").write_text("services: {c: {env_file: one.env}}", encoding="utf-8")
    found = compose_files([tmp_path / "compose.yml"], tmp_path, [tmp_path / "given.env"])
    names = {path.relative_to(tmp_path).as_posix() for path in found.paths}
    assert names >= {
        *("compose.yml", "compose.override.yml", ".env", "given.env", "base.yml", "sub/base.env"),
        *("one/compose.yml", "one/.env", "one/one.env", "two/a.yml", "two/b.yml", "two/env"),
        *("elsewhere/.env", "a.env", "b.env", "c.env", "labels"),
    }
    assert not found.unknown


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {env_file: '.env.${STAGE}'}}",
        "include: ['${WHERE}/compose.yml']",
        "services: {a: {extends: {file: $FILE, service: x}}}",
        "services: [",
    ],
)
def test_a_name_that_is_only_known_when_it_is_resolved_is_told_as_such(tmp_path: Path, text: str) -> None:
    (tmp_path / "compose.yml").write_text(text, encoding="utf-8")
    assert compose_files([tmp_path / "compose.yml"], tmp_path, []).unknown


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("include: [b.yml]", encoding="utf-8")
    (tmp_path / "b.yml").write_text("include: [a.yml]", encoding="utf-8")
    assert {tmp_path / "a.yml", tmp_path / "b.yml"} <= compose_files([tmp_path / "a.yml"], tmp_path, []).paths


@pytest.mark.parametrize(
    ("before", "after", "services", "linked", "everything"),
    [
        ({}, {}, set(), set(), False),
        ({"services": {"a": {"budget": 1}}}, {"services": {"a": {"budget": 2}}}, {"a"}, set(), False),
        ({}, {"services": {"a": {}}}, {"a"}, set(), False),
        ({"links": []}, {"links": [{"from": "a", "to": "http://b:80/x"}]}, set(), {"a", "b"}, False),
        ({"links": [{"from": "a", "to": "tcp://b:80"}]}, {}, set(), {"a", "b"}, False),
        ({"policy": {"fail-on": "error"}}, {"policy": {"fail-on": "note"}}, set(), set(), True),
        ({"policy": {}}, {}, set(), set(), True),
    ],
)
def test_a_section_of_one_service_is_about_that_service(
    before: dict[str, Any], after: dict[str, Any], services: set[str], linked: set[str], *, everything: bool
) -> None:
    found = settings_difference(before, after)
    assert (set(found.services), set(found.linked), found.everything) == (services, linked, everything)
