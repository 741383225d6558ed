"""Requirements are met or not by the rules of Python and of Node.js."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.dependencies import EnvironmentCapture, missing_packages
from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import PackageCapture
from hullmark.model.dependency import Certainty, Problem
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.dependency import Missing

SITE = "/opt/venv/lib/python3.11/site-packages"
VENV = {"/opt/venv/pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = false\n"}


def _missing(files: Mapping[str, str], **others: Any) -> tuple[Missing, ...]:
    """What is missing among files by path, and symbolic links whose content starts with `->`."""
    entries, captured = [], {}
    for path, content in files.items():
        if content.startswith("->"):
            entries.append(Entry(path=path, kind=Kind.SYMLINK, link=content.removeprefix("->")))
            continue
        data = content.encode()
        entries.append(Entry(path=path, kind=Kind.FILE, size=len(data), mode=0o644))
        for capture in (PackageCapture(), EnvironmentCapture()):
            if capture.wants(path, len(data), 0o644):
                kept = capture.take(path, memoryview(data))
                assert kept is not None
                captured[path] = kept
    layer = Layer(diff_id=DiffId.parse(f"sha256:{'0' * 64}"), table=FileTable.of(entries), captured=captured)
    system = overlay([layer])
    return missing_packages(system, find_owners(system), **others)


def _python(
    name: str, version: str = "1.0", *requires: str, site: str = SITE, modules: tuple[str, ...] = ()
) -> dict[str, str]:
    """A distribution whose RECORD lists `modules`; of these, ones with a `!` in front are not there."""
    files = [module.removeprefix("!") for module in modules or (f"{name}/__init__.py",)]
    place = f"{site}/{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    record = "".join(f"{each},sha256=x,1\n" for each in files)
    there = {f"{site}/{each}": "x" for each in modules or files if not each.startswith("!")}
    own = f"{place.rpartition('/')[2]}"
    return {
        **there,
        f"{place}/METADATA": metadata,
        f"{place}/RECORD": f"{record}{own}/METADATA,,\n../../../bin/{name},,\n",
    }


def _seen(found: tuple[Missing, ...]) -> list[tuple[Problem, str, str, Certainty]]:
    return [(each.problem, each.name, each.expected, each.certainty) for each in found]


def test_requirements_that_are_met_or_do_not_hold_are_not_mentioned() -> None:
    app = _python(
        "app",
        "1.0",
        *(
            "Lib_A>=1,<2",
            "windows-only; sys_platform == 'win32'",
            "more[x]; extra == 'more'",
            "old; python_version < '3'",
        ),
        *("arm; platform_machine == 'aarch64'", "not a requirement !!"),
    )
    assert _missing({**VENV, **app, **_python("lib-a", "1.5")}) == ()
    [found] = _missing({**VENV, **app, **_python("lib-a", "1.5")}, platform="linux/arm64")
    assert found.name == "arm"


def test_a_requirement_in_another_version_is_told() -> None:
    [found] = _missing({**VENV, **_python("app", "1.0", "lib>=2"), **_python("lib", "1.5")})
    assert (found.problem, found.by, found.expected, found.seen) == (
        Problem.WRONG_VERSION,
        "app",
        ">=2",
        "1.5",
    )


def test_an_environment_sees_the_system_only_when_it_says_so() -> None:
    system = "/usr/lib/python3/dist-packages"
    files = {**VENV, **_python("app", "1.0", "lib"), **_python("lib", "1.5", site=system)}
    [found] = _missing(files)
    assert (found.problem, found.certainty) == (Problem.NOT_INSTALLED, Certainty.POSSIBLE)
    assert _missing({**files, "/opt/venv/pyvenv.cfg": "include-system-site-packages = true\n"}) == ()


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        (("!lib/__init__.py", "!lib/a.py"), [(f"{SITE}/lib", Certainty.CERTAIN)]),
        (("!lib/__init__.py", "lib/a.py"), [(f"{SITE}/lib/__init__.py", Certainty.CERTAIN)]),
        (("lib/__init__.py", "!lib/core.so"), [(f"{SITE}/lib/core.so", Certainty.CERTAIN)]),
        (("lib/__init__.py", "!lib/a.py"), [(f"{SITE}/lib/a.py", Certainty.LIKELY)]),
        (("lib/__init__.py", "!lib/data.json"), [(f"{SITE}/lib/data.json", Certainty.POSSIBLE)]),
        (("lib/__init__.py", "!lib/a.py", "!lib/b.py"), [(f"{SITE}/lib/a.py and 1 more", Certainty.LIKELY)]),
        (("lib/__init__.py", "!other.py"), [(f"{SITE}/other.py", Certainty.CERTAIN)]),
        # What strip steps take on purpose
        (
            (
                *("lib/__init__.py", "!lib/tests/test_a.py", "!lib/__pycache__/a.pyc", "!lib/a.pyi"),
                *("!lib/py.typed", "!lib/include/a.h", "!lib/a.pyx"),
            ),
            [],
        ),
    ],
)
def test_a_distribution_without_its_files_is_incomplete(
    modules: tuple[str, ...], expected: list[tuple[str, Certainty]]
) -> None:
    found = _missing({**VENV, **_python("lib", modules=modules)})
    assert [(each.expected, each.certainty) for each in found] == expected
    assert all(each.problem is Problem.INCOMPLETE for each in found)


def test_compiled_modules_without_source_are_complete() -> None:
    files = {**VENV, **_python("lib", modules=("lib/__init__.py", "!lib/a.py")), f"{SITE}/lib/a.pyc": "x"}
    assert _missing(files) == ()


def test_what_the_application_asks_for_has_to_be_there() -> None:
    listed = "lib==1.5 \\\n    --hash=sha256:ab\n# a word\n-r other.txt\ngone>=2 # why\nlib2 ; sys_platform=='win32'\n"
    project = '[project]\ndependencies = ["lib<1"]\n'
    found = _missing(
        {
            **VENV,
            **_python("lib", "1.5"),
            "/app/requirements.txt": listed,
            "/app/requirements-dev.txt": "pytest\n",
            "/app/pyproject.toml": project,
        },
        declared=(("requirements.in", "lib~=1.0"), ("requirements.in", "missing")),
    )
    assert sorted((each.path, *_seen((each,))[0][:3]) for each in found) == [
        ("/app/pyproject.toml", Problem.WRONG_VERSION, "lib", "<1"),
        ("/app/requirements.txt", Problem.NOT_INSTALLED, "gone", ">=2"),
        ("requirements.in", Problem.NOT_INSTALLED, "missing", ""),
    ]


def _node(name: str, **document: Any) -> str:
    return json.dumps({"name": name, "version": "1.0.0", **document})


APP = "/app/package.json"
MODULES = "/app/node_modules"


def test_packages_resolve_as_node_resolves_them() -> None:
    files = {
        APP: _node(
            "app",
            dependencies={"a": "1", "@s/b": "1", "linked": "1", "maybe": "1"},
            optionalDependencies={"maybe": "1"},
            devDependencies={"typescript": "5"},
        ),
        f"{MODULES}/a/package.json": _node(
            "a",
            dependencies={"deep": "1", "up": "1"},
            peerDependencies={"up": "1", "peer": "1"},
            peerDependenciesMeta={"peer": {"optional": True}},
            main="lib",
        ),
        f"{MODULES}/a/lib/index.js": "x",
        f"{MODULES}/a/node_modules/deep/package.json": _node("deep", main="./deep"),
        f"{MODULES}/a/node_modules/deep/deep.js": "x",
        f"{MODULES}/up/package.json": _node("up"),
        f"{MODULES}/@s/b/package.json": _node(
            "@s/b", exports={".": {"types": "./no.d.ts", "import": {"node": "./b.mjs"}}}
        ),
        f"{MODULES}/@s/b/b.mjs": "x",
        # As pnpm lays packages out
        f"{MODULES}/linked": "->.pnpm/linked@1/node_modules/linked",
        f"{MODULES}/.pnpm/linked@1/node_modules/linked/package.json": _node(
            "linked", dependencies={"beside": "1"}
        ),
        f"{MODULES}/.pnpm/linked@1/node_modules/beside": "->../../beside@1/node_modules/beside",
        f"{MODULES}/.pnpm/beside@1/node_modules/beside/package.json": _node("beside", exports="./x.js"),
        f"{MODULES}/.pnpm/beside@1/node_modules/beside/x.js": "x",
    }
    assert _missing(files) == ()
    broken = {path: content for path, content in files.items() if not path.endswith(("deep.js", "/b.mjs"))}
    del (
        broken[f"{MODULES}/up/package.json"],
        broken[f"{MODULES}/.pnpm/beside@1/node_modules/beside/package.json"],
    )
    del broken[f"{MODULES}/.pnpm/beside@1/node_modules/beside/x.js"]
    assert _seen(_missing(broken)) == [
        (Problem.UNRESOLVED, "@s/b", f"{MODULES}/@s/b/b.mjs", Certainty.CERTAIN),
        (Problem.NOT_INSTALLED, "beside", "1", Certainty.LIKELY),
        (Problem.UNRESOLVED, "deep", f"{MODULES}/a/node_modules/deep/deep", Certainty.LIKELY),
        (Problem.NOT_INSTALLED, "up", "1", Certainty.LIKELY),
    ]


def test_an_application_in_one_file_needs_no_modules_for_certain() -> None:
    app = {APP: _node("app", dependencies={"a": "1"})}
    assert [each.certainty for each in _missing(app)] == [Certainty.POSSIBLE]
    beside = {f"{MODULES}/b/package.json": _node("b")}
    assert [each.certainty for each in _missing({**app, **beside})] == [Certainty.CERTAIN]
    example = {f"/app/examples/x/{APP.rpartition('/')[2]}": _node("example", dependencies={"c": "1"})}
    found = {each.name: each.certainty for each in _missing({**app, **beside, **example})}
    assert found == {"a": Certainty.CERTAIN, "c": Certainty.POSSIBLE}


def test_modules_are_found_where_node_path_says() -> None:
    files = {
        APP: _node("app", dependencies={"a": "1"}),
        "/srv/modules/a/package.json": _node("a"),
        f"{MODULES}/b/package.json": _node("b"),
    }
    assert _missing(files, environment={"NODE_PATH": "/nowhere:/srv/modules"}) == ()
    assert [each.name for each in _missing(files)] == ["a"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    [
        *("name", "dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"),
        *("main", "exports", "types"),
    ]
)


@given(st.dictionaries(_KEYS, _JSON), st.dictionaries(_KEYS, _JSON))
def test_no_description_of_a_package_is_too_strange(app: dict[str, Any], package: dict[str, Any]) -> None:
    found = _missing({APP: json.dumps(app), f"{MODULES}/a/package.json": json.dumps(package)})
    assert all(each.kind == "npm" for each in found)


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_metadata_is_too_strange(requirement: str, record: str) -> None:
    files = {**VENV, **_python("lib", "1.0", requirement.replace("\n", " "))}
    files[f"{SITE}/lib-1.0.dist-info/RECORD"] = record
    found = _missing({**files, "/app/requirements.txt": requirement})
    assert all(each.kind == "python" for each in found)
