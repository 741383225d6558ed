"""What is kept of a project is used as long as all that it was made from is the same, and never any longer."""

from __future__ import annotations

import io
import json
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci import evidence
from hullmark._ci.examine import Where, examine
from hullmark._ci.plans import Plans, plans
from hullmark._ci.records import Records
from hullmark._cli import main
from hullmark._process import SystemCommands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hullmark._process import Completed

Checkout = Any
"""Of the conftest, which is no module to import from."""
COMPOSE = """\
name: shop
include:
  - deploy/more.yml
  - path: deploy/other.yml
    env_file: deploy/other.env
services:
  web:
    build: {context: web, args: {SECRET_ARGUMENT: "${SECRET_VALUE:-none}"}}
    environment:
      LEVEL: "${LEVEL:-info}"
      PASSED:
    env_file: web.env
    volumes: ["./data:/data"]
    develop: {watch: [{path: ./watched, action: rebuild}]}
    secrets: [password]
  db:
    extends: {file: deploy/base.yml, service: base}
secrets:
  password: {file: ./password.txt}
"""
FILES = {
    "compose.yml": COMPOSE,
    "deploy/more.yml": "include: [deep.yml]\nservices: {more: {image: busybox}}\n",
    "deploy/deep.yml": "services: {deep: {image: busybox}}\n",
    "deploy/other.yml": 'services: {other: {image: "busybox:${TAG}"}}\n',
    "deploy/other.env": "TAG=1\n",
    "deploy/base.yml": "services: {base: {image: postgres, environment: {A: '1'}}}\n",
    "web.env": "B=1\n",
    ".env": "UNUSED=1\n",
    "web/Dockerfile": "FROM debian\nARG SECRET_ARGUMENT\nCOPY app /app\nCOPY linked /linked\nCOPY *.txt /t/\n",
    "web/.dockerignore": "**/*.md\n",
    "web/app/main.py": "main\n",
    "web/app/notes.md": "notes\n",
    "web/real/file": "file\n",
    "web/also/file": "file\n",
    "data/rows": "1\n",
    "watched/file": "1\n",
    "password.txt": "secret\n",
    "pyproject.toml": "[project]\nname = 'x'\n",
    "README.md": "readme\n",
}


class _Counted(SystemCommands):
    """The programs of this machine, which are counted."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ, threading.Event())
        self.started: list[str] = []

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """As of its parent."""
        self.started.append(argv[0])
        return super().run(argv, **options)


class _Shop:
    """A project that is committed, and a cache of its own."""

    def __init__(self, checkout: Checkout, directory: Path) -> None:
        self.checkout = checkout
        self.top: Path = checkout.top
        self.environ = {
            **checkout.environ,
            "HULLMARK_CACHE_DIR": str(directory / "cache"),
            "HOME": str(directory / "home"),
            "LEVEL": "debug",
            "SECRET_VALUE": "hunter-2",
        }
        checkout.write_all(FILES)
        (self.top / "web" / "linked").symlink_to("real")
        checkout.commit()

    def look(self, *, base: str = "HEAD", **flags: str) -> list[str]:
        """Asks what is affected; the programs that were started for it."""
        commands = _Counted(self.environ)
        given = {name.replace("__", "."): value for name, value in flags.items()}
        examine(
            Where(directory=self.top, commands=commands, environ=self.environ, flags=given),
            base,
            explain=True,
        )
        return commands.started

    def kept(self, **flags: str) -> bool:
        """Whether there is a plan that can be used."""
        given = {name.replace("__", "."): value for name, value in flags.items()}
        return plans(self.environ, given).get(self.top) is not None

    def report(self, *arguments: str, **environ: str) -> dict[str, Any]:
        """The report on standard output."""
        out, err = io.StringIO(), io.StringIO()
        argv = ("-C", str(self.top), "affected", "--explain", "--format", "json", *arguments)
        assert main(argv, stdout=out, stderr=err, environ={**self.environ, **environ}) == 0, err.getvalue()
        found: dict[str, Any] = json.loads(out.getvalue())
        return found


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written a moment ago count as old ones."""
    monkeypatch.setattr(evidence, "GRANULARITY", -3600.0)


@pytest.fixture
def shop(repository: Checkout, tmp_path: Path, settled: None) -> _Shop:  # noqa: ARG001  # which only has to be there
    """A project of which nothing is kept yet."""
    return _Shop(repository, tmp_path)


def test_compose_is_asked_once_as_long_as_nothing_changes(shop: _Shop) -> None:
    assert "docker" in shop.look()
    assert shop.kept()
    assert set(shop.look()) == {"git"}


def _written(name: str, text: str) -> Callable[[_Shop], None]:
    return lambda shop: shop.checkout.write_all({name: text})


def _removed(name: str) -> Callable[[_Shop], None]:
    return lambda shop: (shop.top / name).unlink()


def _set(name: str, value: str) -> Callable[[_Shop], None]:
    return lambda shop: shop.environ.update({name: value})


def _led(name: str, target: str) -> Callable[[_Shop], None]:
    """The file or directory becomes a link to another, or a link leads elsewhere."""

    def change(shop: _Shop) -> None:
        path = shop.top / name
        if path.is_symlink():
            path.unlink()
        else:
            path.rename(path.with_name("moved-away"))
        path.symlink_to(target)

    return change


def _docker(shop: _Shop) -> None:
    """Another Docker CLI comes first on PATH."""
    directory = shop.top.parent / "bin"
    directory.mkdir()
    (directory / "docker").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (directory / "docker").chmod(0o755)
    shop.environ["PATH"] = f"{directory}{os.pathsep}{shop.environ['PATH']}"


def _plugin(directory: str) -> Callable[[_Shop], None]:
    """Another Compose plugin is found by the Docker CLI."""

    def change(shop: _Shop) -> None:
        path = Path(shop.environ["HOME"]) / directory / "docker-compose"
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")

    return change


def _configured(shop: _Shop) -> None:
    """The Docker CLI is told to look for plugins elsewhere."""
    path = Path(shop.environ["HOME"]) / ".docker" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"cliPluginsExtraDirs": ["/nowhere"]}', encoding="utf-8")


CHANGES: dict[str, Callable[[_Shop], None]] = {
    "the Compose file": _written("compose.yml", f"# a comment\n{COMPOSE}"),
    "an included file": _written("deploy/more.yml", "include: [deep.yml]\nservices: {more: {image: b}}\n"),
    "a file that an included one includes": _written("deploy/deep.yml", "services: {deep: {image: b}}\n"),
    "the env file of an included file": _written("deploy/other.env", "TAG=2\n"),
    "an extended file": _written("deploy/base.yml", "services: {base: {image: postgres}}\n"),
    "the env file of a service": _written("web.env", "B=2\n"),
    "an env file that is gone": _removed("web.env"),
    "the .env file": _written(".env", "UNUSED=2\n"),
    "an override file that is new": _written("compose.override.yml", "services: {db: {user: '1'}}\n"),
    "another Compose file that comes first": _written("compose.yaml", COMPOSE),
    "hullmark.toml that is new": _written("hullmark.toml", "[services.web]\nbudget = '1 GB'\n"),
    "pyproject.toml": _written("pyproject.toml", "[tool.hullmark.services.web]\nbudget = '1 GB'\n"),
    "a variable that a file uses": _set("LEVEL", "info"),
    "a variable that an included file uses": _set("TAG", "3"),
    "a variable that is handed through": _set("PASSED", "x"),
    "a variable that Compose reads by itself": _set("COMPOSE_PROFILES", "some"),
    "a variable that hullmark reads": _set("HULLMARK_PROFILES", "some"),
    "a variable that the Docker CLI reads": _set("DOCKER_DEFAULT_PLATFORM", "linux/arm64"),
    "a variable by which more is read": _set("COMPOSE_ENV_FILES", ".env"),
    "the home directory": _set("HOME", "/nowhere"),
    "the Docker CLI": _docker,
    "the Compose plugin": _plugin(".docker/cli-plugins"),
    "where plugins are looked for": _configured,
    "a Dockerfile": _written("web/Dockerfile", "FROM debian\n"),
    "an ignore file": _written("web/.dockerignore", "app\n"),
    "an ignore file that is new": _written("web/Dockerfile.dockerignore", "app\n"),
    "a link that an image takes": _led("web/linked", "also"),
    "a source that becomes a link": _led("web/app", "also"),
    "a Dockerfile that becomes a link": _led("web/Dockerfile", "moved-away"),
    "a context that becomes a link": _led("web", "moved-away"),
    "a mounted directory that becomes a link": _led("data", "watched"),
    "a mounted file that becomes a link": _led("password.txt", "README.md"),
    "a watched directory that becomes a link": _led("watched", "data"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_plan_is_of_no_use_once_something_has_changed(shop: _Shop, what: str) -> None:
    shop.look()
    assert shop.kept()
    CHANGES[what](shop)
    assert not shop.kept()


def test_a_plan_is_one_for_what_the_command_line_says(shop: _Shop) -> None:
    shop.look()
    assert not shop.kept(project__profiles="some")
    shop.look(project__profiles="some")
    assert shop.kept(project__profiles="some")
    assert shop.kept()


UNTOUCHED: dict[str, Callable[[_Shop], None]] = {
    "a source file": _written("web/app/main.py", "x\n"),
    "a new source file": _written("web/app/new.py", "x\n"),
    "a file that is mounted": _written("data/rows", "2\n"),
    "a variable that nothing names": _set("NOBODY_READS_THIS", "x"),
    "the variable that shells set": _set("_", "/usr/bin/anything"),
    "where the cache is not": _set("HULLMARK_NO_CACHE", "0"),
}


@pytest.mark.parametrize("what", UNTOUCHED)
def test_a_plan_is_used_whatever_else_changes(shop: _Shop, what: str) -> None:
    shop.look()
    UNTOUCHED[what](shop)
    assert shop.kept()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deploy/base.yml", 'services: {base: {image: postgres, environment: {A: "${L\\x45VEL}"}}}\n'),
        ("deploy/base.yml", 'services: {base: {image: postgres, environment: {A: "${LE\\\n  VEL}"}}}\n'),
        (".env", "COMPOSE_ENV_FILES=web.env\n"),
        ("deploy/base.yml", "services: {base: {image: postgres, env_file: '../${NAME:-web.env}'}}\n"),
        (
            "deploy/base.yml",
            "services: {base: {image: p, develop: {watch: [{path: '$LEVEL', action: rebuild}]}}}\n",
        ),
    ],
    ids=[
        "an escape",
        "a name on two lines",
        "more env files",
        "a file by a variable",
        "a watch by a variable",
    ],
)
def test_nothing_is_kept_where_it_cannot_be_said_what_is_read(shop: _Shop, name: str, text: str) -> None:
    shop.checkout.commit({name: text})
    shop.look()
    assert not shop.kept()


def test_nothing_is_kept_of_files_that_were_written_a_moment_ago(
    repository: Checkout, tmp_path: Path
) -> None:
    shop = _Shop(repository, tmp_path)
    shop.look()
    assert not shop.kept()


def test_nothing_is_kept_where_that_is_not_wanted(shop: _Shop) -> None:
    shop.environ["HULLMARK_NO_CACHE"] = "1"
    assert "docker" in shop.look()
    assert "docker" in shop.look()
    assert not Path(shop.environ["HULLMARK_CACHE_DIR"]).exists()


def _file(shop: _Shop) -> Path:
    (found,) = Path(shop.environ["HULLMARK_CACHE_DIR"]).rglob("*.plan")
    return found


def test_a_plan_is_for_the_user_alone_and_holds_no_value_of_the_environment(shop: _Shop) -> None:
    shop.look()
    path = _file(shop)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert "argument SECRET_ARGUMENT" in text
    assert not any(value in text for value in ("hunter-2", "debug", "secret\n"))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"plan": 1}', "nonsense"])
def test_a_plan_that_is_damaged_is_as_if_it_were_not_there(shop: _Shop, content: str) -> None:
    shop.look()
    _file(shop).write_text(content, encoding="utf-8")
    assert not shop.kept()
    assert "docker" in shop.look()
    assert shop.kept()


def test_a_plan_is_removed_with_everything_else_that_is_kept(shop: _Shop) -> None:
    shop.look()
    Records.at(shop.environ).clear()
    assert not shop.kept()


def test_a_cache_that_cannot_be_written_keeps_nothing_and_says_nothing(shop: _Shop, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no directory", encoding="utf-8")
    assert "docker" in shop.look()
    assert not Plans(directory=tmp_path / "cache" / "inputs", environ=shop.environ, flags={}).get(shop.top)


STEPS: tuple[Mapping[str, str], ...] = (
    {},
    {"web/app/main.py": "x\n"},
    {"web/app/notes.md": "x\n"},
    {"web/real/new": "x\n"},
    {"web/also/new": "x\n"},
    {"web/a.txt": "x\n"},
    {"data/rows": "2\n", "password.txt": "x\n"},
    {"README.md": "x\n"},
)


def test_a_plan_says_the_same_as_what_it_was_made_from(shop: _Shop) -> None:
    shop.look()
    for step in STEPS:
        shop.checkout.write_all(step)
        assert shop.kept()
        assert shop.report() == shop.report(HULLMARK_NO_CACHE="1")


def test_what_changed_of_the_configuration_since_the_base_is_looked_at_with_a_plan_too(shop: _Shop) -> None:
    before = shop.checkout.git("rev-parse", "HEAD")
    shop.checkout.commit({"web.env": "B=2\n", "web/app/main.py": "y\n"})
    shop.look()
    assert shop.kept()
    assert "docker" in shop.look(base=before)
    found = shop.report("--base", before)
    assert found == shop.report("--base", before, HULLMARK_NO_CACHE="1")
    assert (found["build"], found["smoke"]) == (["web"], ["web"])


def test_a_commit_that_is_not_checked_out_is_read_as_it_was(shop: _Shop) -> None:
    before = shop.checkout.git("rev-parse", "HEAD")
    shop.checkout.commit({"web/app/main.py": "y\n"})
    shop.look()
    arguments = ("--base", before, "--head", before)
    assert shop.report(*arguments) == shop.report(*arguments, HULLMARK_NO_CACHE="1")


def test_what_compose_warns_of_is_told_with_a_plan_too(shop: _Shop) -> None:
    shop.checkout.commit({"compose.yml": COMPOSE.replace("${LEVEL:-info}", "${NOT_SET_ANYWHERE}")})
    for _ in range(2):
        out, err = io.StringIO(), io.StringIO()
        assert main(("-C", str(shop.top), "affected"), stdout=out, stderr=err, environ=shop.environ) == 0
        assert "NOT_SET_ANYWHERE" in err.getvalue()
        assert "NOT_SET_ANYWHERE" not in out.getvalue()
    assert shop.kept()
