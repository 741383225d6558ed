"""The documents: what they name exists, what they link to is there, and they say nothing of other people's machines."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from hullmark._cli.app import app, command_names

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PUBLISHED = sorted(
    [*DOCUMENTS, *ROOT.glob("docs/**/*.json"), *ROOT.glob(".pre-commit-*.yaml"), ROOT / ".editorconfig"]
)
WIDTH = 120

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)

# What stands in a document as a path may be one in this repository, on a Debian machine, in a container, or of a URL.
HOST = {"bin", "dev", "etc", "lib", "opt", "proc", "run", "sbin", "srv", "sys", "usr", "var"}
IMAGE = {"root", "wheels", "app", "site", "data"}
URLS = {"health", "api", "orders"}
OWN_HOSTS = {"localhost", "json-schema.org", "example.com", "registry.example.com"}
PLACEHOLDERS = re.compile(r"\b(TARGET|NAME|RULE|SERVICE|PROJECT|RANDOM|CODENAME)\b|[*<>{}$ ]|\.\.\.")


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=_named)
each_published = pytest.mark.parametrize("path", PUBLISHED, ids=_named)


def _spans(text: str) -> list[str]:
    """What stands between backticks in prose and tables."""
    return SPAN.findall(FENCE.sub("", text))


def _commands(text: str) -> Iterator[str]:
    """Command lines that a document names: in backticks, and after the prompt of a console."""
    yield from _spans(text)
    for language, body in FENCE.findall(text):
        if language in {"console", "sh", "bash", "yaml"}:
            for line in body.splitlines():
                yield line.strip().removeprefix("$ ").partition("  #")[0]


def _anchors(text: str) -> set[str]:
    titles = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", path.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        if urlsplit(link).scheme:
            continue
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"{link} leads nowhere"
        assert found.is_relative_to(ROOT), f"{link} leads out of the repository"
        if anchor:
            assert anchor in _anchors(found.read_text("utf-8")), f"{link}: no such heading"


@each_document
def test_paths_that_are_named_exist(path: Path) -> None:
    tops = {each.name for each in ROOT.iterdir()} - {"README.md"}
    for span in _spans(path.read_text("utf-8")):
        name = span.rstrip("/")
        if PLACEHOLDERS.search(span) or (name.split("/")[0] not in tops and "/" not in name):
            continue
        if name.split("/")[0] in tops | {"src", "docs", "tests", "scripts", "examples", "benchmarks"}:
            found = ROOT / name
            assert found.exists(), f"`{span}` is not in the repository"
            assert found.is_dir() or not span.endswith("/"), f"`{span}` is no directory"


@each_document
def test_modules_that_are_named_exist(path: Path) -> None:
    for span in _spans(path.read_text("utf-8")):
        if re.fullmatch(r"hullmark(\.\w+)+", span) and not span.endswith((".toml", ".findings")):
            assert _exists(span), f"`{span}` cannot be imported"


def _exists(name: str) -> bool:
    module, _, last = name.rpartition(".")
    try:
        return importlib.util.find_spec(name) is not None or hasattr(importlib.import_module(module), last)
    except ModuleNotFoundError:
        return module != "" and hasattr(importlib.import_module(module), last)


def test_the_picture_of_the_house_shows_every_room() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    picture = next(body for _, body in FENCE.findall(text) if body.startswith("src/hullmark/\n"))
    shown = [line.split()[0].rstrip("/") for line in picture.splitlines()[1:]]
    there = [
        each.name
        for each in (ROOT / "src/hullmark").iterdir()
        if each.name not in {"__pycache__", "py.typed"} and (each.is_file() or any(each.glob("*.py")))
    ]
    assert sorted(shown) == sorted(there)


def test_the_way_of_imports_names_every_room_once() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    picture = next(body for _, body in FENCE.findall(text) if body.startswith("errors <- "))
    there = {
        each.stem
        for each in (ROOT / "src/hullmark").iterdir()
        if each.name not in {"__pycache__", "py.typed", "__init__.py", "testing"}
        and (each.is_file() or any(each.glob("*.py")))
    }
    assert sorted(re.findall(r"\w+", picture)) == sorted(there)


@each_document
def test_commands_that_are_named_exist(path: Path) -> None:
    for line in _commands(path.read_text("utf-8")):
        match = re.match(r"(?:\S+/)?hullmark ((?:-\S+ (?:[^-\s]\S*/\S* |\. )?)*)([A-Za-z][\w-]*)\b", line)
        if match:
            assert match[2] in {*command_names(), "COMMAND"}, f"`{line}`: no such command"


@each_document
def test_options_that_are_named_exist(path: Path) -> None:
    context = app.make_context("hullmark", [], resilient_parsing=True)
    known: dict[str | None, set[str]] = {None: {"-h", "--help"} | _flags(app)}
    for name in command_names():
        command = app.get_command(context, name)
        assert command is not None
        parts = command.commands.values() if isinstance(command, click.Group) else ()
        known[name] = _flags(command).union({"-h", "--help"}, *map(_flags, parts))
    for line in _commands(path.read_text("utf-8")):
        if re.match(r"(?:\S+/)?hullmark\b(?!\.)", line):
            words = [word.partition("=")[0] for word in line.split()]
            command_name = next((word for word in words[1:] if word in command_names()), None)
            flags = {word for word in words[1:] if re.fullmatch(r"--?[a-zA-Z][\w-]*", word)}
            assert flags <= known[None] | known[command_name], line


def _flags(command: Any) -> set[str]:
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)}


@each_document
def test_make_targets_that_are_named_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in _commands(path.read_text("utf-8")):
        if line.startswith("make "):
            named = {word for word in line.split()[1:] if "=" not in word}
            assert named <= targets, f"`{line}`: no such target"


@each_document
def test_every_rule_and_key_in_a_toml_block_is_one_that_loads(path: Path, tmp_path: Path) -> None:
    from hullmark._settings import load_settings
    from hullmark.rules import catalogue

    for language, body in FENCE.findall(path.read_text("utf-8")):
        if language == "toml" and "[tool." not in body:
            (tmp_path / "hullmark.toml").write_text(body, encoding="utf-8")
            settings = load_settings(tmp_path, {})
            assert {ignore.rule for ignore in settings.ignores} <= {rule.id for rule in catalogue()}


@each_published
def test_nothing_names_a_directory_of_somebodys_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert str(ROOT) not in text
    for place in re.finditer(r"(?<![\w.:/~$}*<>\])-])/([A-Za-z][\w.-]*)/", text):
        assert place[1] in HOST | IMAGE | URLS, f"{place[0]}: whose directory is that?"


@each_published
def test_nothing_names_a_host_on_the_network(path: Path) -> None:
    text = path.read_text("utf-8")
    for url in re.findall(r"\b(?:https?|tcp)://([\w.-]+)", text):
        assert url in OWN_HOSTS or "." not in url.rstrip("."), f"{url} is a host"
    # As in the name of an image.
    for host in re.findall(r"\b((?:[\w-]+\.)+(?:com|dev|io|net|org))(?::\d+)?/", text):
        assert host in OWN_HOSTS, f"{host} is a host"


@each_document
def test_prose_is_not_wider_than_a_screen(path: Path) -> None:
    text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), path.read_text("utf-8"))
    wide = [
        n for n, line in enumerate(text.splitlines(), 1) if len(line) > WIDTH and not line.startswith("|")
    ]
    assert not wide, f"lines {wide}"


@each_published
def test_a_text_ends_with_one_line_end_and_has_no_trailing_blanks(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.fullmatch(r"(?s).*[^\n]\n", text)
    assert not [n for n, line in enumerate(text.splitlines(), 1) if line != line.rstrip()]


def test_the_changelog_speaks_of_the_version_that_is_built() -> None:
    import hullmark

    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles[0] == "Unreleased"
    assert hullmark.__version__ in text


def test_the_shipped_hook_looks_at_dockerfiles_and_compose_files_and_nothing_else() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["entry"].split()[1] in command_names()
    looks = re.compile(hook["files"])
    for name in (
        "Dockerfile",
        "services/rag/Dockerfile",
        "services/rag/Dockerfile.dev",
        "rag.dockerfile",
        "compose.yml",
        "compose.test.yaml",
        "docker/docker-compose.yml",
        "docker-compose.override.yml",
    ):
        assert looks.search(name), name
    for name in ("README.md", "src/compose.py", "docs/dockerfile.md/x", "decompose.yml", "composer.json"):
        assert not looks.search(name), name


def test_the_hooks_of_this_repository_are_targets_of_make() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert hooks
    for hook in hooks:
        make, target = hook["entry"].split()
        assert make == "make"
        assert target in targets
