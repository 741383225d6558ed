"""Python distributions: their files, and why each is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contents.owners.conftest import Own

_SITE = "/usr/local/lib/python3.12/site-packages"


def _wheel(
    name: str,
    version: str,
    *requires: str,
    files: dict[str, str] | None = None,
    site: str = _SITE,
    requested: bool = False,
) -> dict[str, str]:
    """A distribution as pip leaves it, with a module of its own name unless `files` says otherwise."""
    info = f"{name}-{version}.dist-info"
    files = {f"{name}/__init__.py": "pass"} if files is None else files
    head = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata = "\n".join([*head, *(f"Requires-Dist: {each}" for each in requires)]) + "\n\nText\nName: no\n"
    listed = [*files, f"{info}/METADATA", f"{info}/RECORD"]
    found = {f"{site}/{path}": content for path, content in files.items()}
    found[f"{site}/{info}/METADATA"] = metadata
    found[f"{site}/{info}/RECORD"] = "".join(f"{path},sha256=x,1\n" for path in listed)
    if requested:
        found[f"{site}/{info}/REQUESTED"] = ""
    return found


def test_a_record_lists_what_a_distribution_has(own: Own) -> None:
    record = 'a/__init__.py,sha256=x,3\n"a/with,comma.py",sha256=x,3\n../../../bin/tool,,\r\n'
    owned = own(
        {
            f"{_SITE}/a/__init__.py": "x",
            f"{_SITE}/a/with,comma.py": "x",
            f"{_SITE}/a/stray.txt": "x",
            "/usr/local/bin/tool": "x",
            f"{_SITE}/a-1.0.dist-info/METADATA": "Name: a\nVersion: 1.0\n",
            f"{_SITE}/a-1.0.dist-info/RECORD": record,
        }
    )
    for path in (f"{_SITE}/a/__init__.py", f"{_SITE}/a/with,comma.py", "/usr/local/bin/tool"):
        assert owned.owner(path) == "python:a 1.0"
    assert owned.owner(f"{_SITE}/a/stray.txt") == "directory:/usr"


def test_compiled_files_belong_to_their_source_in_a_record_or_not(own: Own) -> None:
    owned = own(
        {
            **_wheel("a", "1"),
            f"{_SITE}/a/__pycache__/__init__.cpython-312.pyc": "x",
            f"{_SITE}/a/__pycache__/__init__.cpython-312.opt-1.pyc": "x",
            f"{_SITE}/a/__pycache__/lost.cpython-312.pyc": "x",
            "/usr/lib/python3/m.py": "x",
            "/usr/lib/python3/__pycache__/m.cpython-311.pyc": "x",
            "/var/lib/dpkg/status": "Package: python3-m\nStatus: install ok installed\nVersion: 3\n",
            "/var/lib/dpkg/info/python3-m.list": "/usr/lib/python3/m.py\n",
        },
        {f"{_SITE}/a/__pycache__/__init__.cpython-312.pyc": None},
    )
    assert owned.owner(f"{_SITE}/a/__pycache__/__init__.cpython-312.opt-1.pyc") == "python:a 1"
    assert owned.masked(f"{_SITE}/a/__pycache__/__init__.cpython-312.pyc") == ["python:a 1"]
    assert owned.owner(f"{_SITE}/a/__pycache__/lost.cpython-312.pyc") == "directory:/usr"
    assert owned.owner("/usr/lib/python3/__pycache__/m.cpython-311.pyc") == "dpkg:python3-m 3"


def test_a_distribution_that_apt_brought_is_counted_once_by_its_package(own: Own) -> None:
    site = "/usr/lib/python3/dist-packages"
    owned = own(
        {
            f"{site}/yaml/__init__.py": "x",
            f"{site}/PyYAML-6.0.egg-info/PKG-INFO": "Name: PyYAML\nVersion: 6.0\n",
            f"{site}/PyYAML-6.0.egg-info/top_level.txt": "yaml\n",
            "/var/lib/dpkg/status": "Package: python3-yaml\nStatus: install ok installed\nVersion: 6-3\n",
            "/var/lib/dpkg/info/python3-yaml.list": f"{site}/PyYAML-6.0.egg-info/PKG-INFO\n{site}/yaml/__init__.py\n",
        }
    )
    assert owned.owner(f"{site}/yaml/__init__.py") == "dpkg:python3-yaml 6-3"
    part_of = owned.package("PyYAML").part_of
    assert part_of is not None
    assert part_of.name == "python3-yaml"
    assert {owner.name for owner in owned.ownership.owners} == {"python3-yaml", "/usr", "/var"}


def test_vendored_distributions_are_part_of_their_vendor(own: Own) -> None:
    vendored = _wheel("inner", "2", files={"inner.py": "x"}, site=f"{_SITE}/outer/_vendor")
    inside = {path.removeprefix(f"{_SITE}/"): content for path, content in vendored.items()}
    owned = own(_wheel("outer", "1", files={"outer/__init__.py": "x", **inside}))
    assert owned.owner(f"{_SITE}/outer/_vendor/inner.py") == "python:outer 1"
    part_of = owned.package("inner").part_of
    assert part_of is not None
    assert part_of.name == "outer"
    assert owned.package("inner").why == ()


@pytest.mark.parametrize("place", ["a.egg-info/PKG-INFO", "a-1.egg-info", "a-1-py3.12.egg-info/PKG-INFO"])
def test_an_egg_without_a_list_has_the_modules_that_it_names(own: Own, place: str) -> None:
    files = {f"{_SITE}/{place}": "Name: a\nVersion: 1\n", f"{_SITE}/a/b/c.py": "x", f"{_SITE}/ab/d.py": "x"}
    owned = own(files)
    assert owned.owner(f"{_SITE}/a/b/c.py") == "python:a 1"
    assert owned.owner(f"{_SITE}/{place}") == "python:a 1"
    assert owned.owner(f"{_SITE}/ab/d.py") == "directory:/usr"


def test_an_egg_with_a_list_has_what_it_lists(own: Own) -> None:
    info = f"{_SITE}/a-1.egg-info"
    owned = own(
        {
            f"{info}/PKG-INFO": "Name: a\nVersion: 1\n",
            f"{info}/installed-files.txt": "../a.py\nPKG-INFO\n",
            f"{_SITE}/a.py": "x",
        }
    )
    assert owned.owner(f"{_SITE}/a.py") == "python:a 1"


def test_what_was_upgraded_is_masked_for_the_old_version(own: Own) -> None:
    old, new = _wheel("a", "1"), _wheel("a", "2")
    owned = own(old, {**dict.fromkeys(path for path in old if "-1." in path), **new})
    assert owned.masked(f"{_SITE}/a/__init__.py") == ["python:a 1"]
    assert owned.owner(f"{_SITE}/a/__init__.py") == "python:a 2"
    assert [str(each.owner) for each in owned.ownership.packages] == ["a 2"]


def test_the_way_leads_from_what_nobody_requires(own: Own) -> None:
    owned = own(
        {
            **_wheel("app", "1", "mid >= 1", 'skipped; sys_platform == "win32"'),
            **_wheel("mid", "1", "Deep_Down (>=2)"),
            **_wheel("deep-down", "2"),
            **_wheel("skipped", "1"),
        }
    )
    assert owned.package("app").why == ("app",)
    assert owned.package("deep-down").why == ("app", "mid", "deep-down")
    assert owned.package("skipped").why == ("skipped",)


def test_the_shortest_way_is_taken(own: Own) -> None:
    owned = own(
        {**_wheel("a", "1", "b", "d"), **_wheel("b", "1", "c"), **_wheel("c", "1", "d"), **_wheel("d", "1")}
    )
    assert owned.package("d").why == ("a", "d")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/app/requirements.txt", "# c\n-r other\n--hash=x\nmid == 1 # why\n"),
        ("/app/requirements/prod.txt", "mid[x] >= 1"),
        ("/app/pyproject.toml", '[project]\ndependencies = ["mid>=1"]'),
        ("/app/pyproject.toml", '[dependency-groups]\ndev = ["mid", {include-group = "x"}]'),
        ("/app/pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.12"\nmid = "^1"'),
        ("/app/pyproject.toml", '[project.optional-dependencies]\nx = ["mid"]'),
    ],
)
def test_what_the_application_names_is_declared(own: Own, path: str, content: str) -> None:
    owned = own(
        {path: content, **_wheel("top", "1", "mid"), **_wheel("mid", "1", "low"), **_wheel("low", "1")}
    )
    assert (owned.package("mid").declared, owned.package("mid").why) == (True, ("mid",))
    assert (owned.package("low").declared, owned.package("low").why) == (False, ("mid", "low"))
    assert owned.package("top").declared is False


def test_a_list_that_names_everything_says_nothing_of_why(own: Own) -> None:
    owned = own({**_wheel("a", "1", "b", requested=True), **_wheel("b", "1", requested=True)})
    assert owned.package("b").declared
    assert owned.package("b").why == ("a", "b")


def test_extras_lead_on_only_when_somebody_asks_for_them(own: Own) -> None:
    server = _wheel(
        "server", "1", 'fast; extra == "standard"', 'fast; extra == "other" and python_version < "3"'
    )
    both = {**server, **_wheel("fast", "1")}
    assert own(both).package("fast").why == ("fast",)
    asked = own({**both, **_wheel("app", "1", "server[Standard]")})
    assert asked.package("fast").why == ("app", "server[standard]", "fast")
    named = own({**both, "/requirements.txt": "server[standard]\n"})
    assert named.package("fast").why == ("server[standard]", "fast")


def test_what_came_with_an_extra_on_the_command_line_is_traced_to_it(own: Own) -> None:
    owned = own({**_wheel("server", "1", 'fast; extra == "standard"', requested=True), **_wheel("fast", "1")})
    assert owned.package("fast").why == ("server[standard]", "fast")
    assert owned.package("server").why == ("server",)


def test_markers_are_read_for_the_python_and_the_machine_of_the_image(own: Own) -> None:
    requires = (
        'b; python_version < "3.12"',
        'c; platform_machine == "aarch64"',
        "d; nonsense ==",
        'e; extra != "x"',
    )
    parts = [_wheel(name, "1") for name in "bcde"]
    files = {
        path: content for part in [_wheel("a", "1", *requires), *parts] for path, content in part.items()
    }
    here = own(files)
    assert [here.package(name).why for name in "bcde"] == [("b",), ("c",), ("d",), ("a", "e")]
    assert own(files, platform="linux/arm64").package("c").why == ("a", "c")


def test_rings_of_requirements_come_to_an_end(own: Own) -> None:
    owned = own({**_wheel("a", "1", "b"), **_wheel("b", "1", "c"), **_wheel("c", "1", "a", "c")})
    assert [owned.package(name).why for name in "abc"] == [("a",), ("a", "b"), ("a", "b", "c")]


def test_environments_do_not_see_each_other(own: Own) -> None:
    venv = "/opt/venv/lib/python3.12/site-packages"
    owned = own(
        {
            "/opt/venv/pyvenv.cfg": "home = /usr/bin",
            **_wheel("a", "1", "b"),
            **_wheel("b", "1", site=venv),
        }
    )
    assert owned.package("b").why == ("b",)
    assert owned.owner(f"{venv}/b/__init__.py") == "python:b 1"


def test_the_requirements_of_an_egg_are_read_by_section(own: Own) -> None:
    owned = own(
        {
            f"{_SITE}/a.egg-info/PKG-INFO": "Name: a\nVersion: 1\n",
            f"{_SITE}/a.egg-info/requires.txt": 'b>=1\n\n[:sys_platform == "win32"]\nc\n\n[x]\nd\n',
            **_wheel("b", "1"),
            **_wheel("c", "1"),
            **_wheel("d", "1"),
        }
    )
    assert [owned.package(name).why for name in "bcd"] == [("a", "b"), ("c",), ("d",)]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({f"{_SITE}/a-1.dist-info/METADATA": "nonsense"}, "does not say the name"),
        ({f"{_SITE}/a-1.dist-info/RECORD": "a.py,,"}, "no METADATA"),
        ({**_wheel("a", "1"), f"{_SITE}/a-1.dist-info/RECORD": "no comma\n"}, "name no file"),
        ({**_wheel("a", "1"), "/app/pyproject.toml": "x = = 1"}, "no TOML"),
        ({**_wheel("a", "1"), "/app/pyproject.toml": b"\xff\xfe"}, "no TOML"),
    ],
)
def test_what_cannot_be_read_is_said(own: Own, files: dict[str, str | bytes], said: str) -> None:
    assert any(said in note for note in own(files).notes)
