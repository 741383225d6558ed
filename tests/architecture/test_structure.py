"""The house is built as it was drawn: who may know whom, who may touch the machine, and what loads when."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hullmark
from hullmark._doctor.situations import catalogue as situations
from hullmark.model import diagnosis
from hullmark.model.rule import HEADINGS
from hullmark.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(hullmark.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

# From the bottom up: a room may know every room of a lower floor, and on its own floor only the neighbours below.
FLOORS = (
    ("errors",),
    ("model", "_process", "_forked", "_files", "_root"),
    ("_secrets",),
    (
        *("_settings", "_compose", "_dockerfile", "_images", "_contents"),
        *("_engines", "_linters", "_sbom", "_scanners", "_vulnerabilities", "rules", "_reporters"),
    ),
    ("_project", "_documents", "_smoke", "_anatomy", "_dev"),
    ("_ci", "_doctor", "_baseline", "_history"),
    ("_checks",),
    ("_pipeline",),
    ("_survey", "_budgets", "_release"),
    ("_library", "_cli", "__main__"),
)
NEIGHBOURS = {
    # The linter runs the rules that look at Dockerfiles.
    ("_dockerfile", "rules"),
    # The layers of a local image are read through the engine that has it.
    ("_images", "_engines"),
    # Records are fetched as layers are: with the same patience, proxies and certificates.
    ("_vulnerabilities", "_images"),
    # The embedded scanner is the database of vulnerabilities, asked as any other scanner.
    ("_scanners", "_vulnerabilities"),
    # A baseline of another revision is asked of git as changes are.
    ("_baseline", "_ci"),
    # A record names the commit, of which git is asked in the same way.
    ("_history", "_ci"),
    ("__main__", "_cli"),
}
# What the facade and the doubles know: the facade is for callers, the doubles stand in for a few seams.
DOUBLES = {"_process", "_images", "errors", "model"}
# A rule sees values, what secrets look like, and nothing that could reach out; a reporter sees the report.
SECLUDED = {
    "rules": {"errors", "model", "_secrets"},
    "_secrets": {"errors", "model"},
    "_reporters": {"errors", "model"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One module that one file imports, anywhere in it."""

    file: str
    line: int
    room: str
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"

    @property
    def other(self) -> str | None:
        """The room of hullmark that is imported, if it is one."""
        parts = self.module.split(".")
        return parts[1] if parts[0] == "hullmark" and len(parts) > 1 else None


def _imports(file: Path) -> Iterator[Import]:
    """Everything that is imported: at the top, in functions, and for types only."""
    where = file.relative_to(SOURCE)
    room = where.parts[0].removesuffix(".py")
    for node in ast.walk(_tree(file)):
        match node:
            case ast.ImportFrom(level=0, module=str(module)):
                names = (
                    [f"{module}.{alias.name}" for alias in node.names] if module == "hullmark" else [module]
                )
            case ast.ImportFrom():
                pytest.fail(f"{where}:{node.lineno} imports relatively")
            case ast.Import():
                names = [alias.name for alias in node.names]
            case _:
                continue
        for name in names:
            yield Import(file=where.as_posix(), line=node.lineno, room=room, module=name)


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


IMPORTS = [each for file in FILES for each in _imports(file)]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def test_every_room_has_a_floor() -> None:
    rooms = {file.relative_to(SOURCE).parts[0].removesuffix(".py") for file in FILES}
    assert rooms - {"__init__", "testing"} <= set(FLOOR)


def test_imports_go_downwards_or_to_a_neighbour_that_is_named() -> None:
    wrong = [
        str(each)
        for each in IMPORTS
        if each.room in FLOOR
        and each.other not in {None, each.room, "__version__"}
        and not FLOOR.get(str(each.other), 99) < FLOOR[each.room]
        and (each.room, each.other) not in NEIGHBOURS
    ]
    assert not wrong


def test_a_neighbour_that_is_named_is_needed() -> None:
    used = {(each.room, each.other) for each in IMPORTS}
    assert used >= NEIGHBOURS


@pytest.mark.parametrize("room", SECLUDED)
def test_rules_and_reporters_see_values_only(room: str) -> None:
    wrong = [
        str(each)
        for each in IMPORTS
        if each.room == room and each.other not in {None, room, "__version__", *SECLUDED[room]}
    ]
    assert not wrong


@pytest.mark.parametrize("room", ["rules", "_reporters", "_secrets", "model", "errors"])
def test_values_rules_and_reporters_do_not_reach_out(room: str) -> None:
    reaching = (
        *("docker", "urllib3", "requests", "socket", "http", "urllib.request"),
        *("subprocess", "asyncio", "os", "shutil"),
    )
    wrong = [str(each) for each in IMPORTS if each.room == room and each.module.startswith(reaching)]
    assert not wrong


def test_the_doubles_know_only_what_they_stand_in_for() -> None:
    others = {each.other for each in IMPORTS if each.room == "testing"}
    assert others - {None, "testing"} <= DOUBLES


def test_nothing_but_tests_uses_the_doubles() -> None:
    assert not [str(each) for each in IMPORTS if each.other == "testing" and each.room != "testing"]


def test_only_one_module_starts_processes() -> None:
    starters = {"subprocess", "multiprocessing", "pty", "asyncio.subprocess"}
    assert {each.file for each in IMPORTS if each.module in starters} == {"_process.py"}
    wrong = [
        f"{file.relative_to(SOURCE)}:{line} uses {name}"
        for file in FILES
        for line, name in _attributes(file)
        if name.startswith(("os.system", "os.popen", "os.spawn", "os.exec", "os.posix_spawn"))
    ]
    assert not wrong


def test_only_one_module_copies_this_process_and_ends_the_copies() -> None:
    used = {
        (file.relative_to(SOURCE).parts[0], name)
        for file in FILES
        for _, name in _attributes(file)
        if name.startswith(("os.fork", "os._exit"))
    }
    assert used == {("_forked.py", "os.fork"), ("_forked.py", "os._exit"), ("_cli", "os._exit")}


# The facade takes the environment of its caller where none is given.
ENTRANCES = {"_cli", "_library", "__main__"}
OUTSIDE = {
    *("sys.argv", "sys.exit", "sys.stdin", "sys.stdout", "sys.stderr", "sys.path"),
    *("os.environ", "os.environb", "os.getenv", "os.putenv", "os.abort", "os.chdir"),
}


def _attributes(file: Path) -> Iterator[tuple[int, str]]:
    """Every `module.name` in the file, and every plain name."""
    for node in ast.walk(_tree(file)):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                yield node.lineno, f"{module}.{name}"
            case ast.Name(id=name):
                yield node.lineno, name
            case ast.ImportFrom(module="os" | "sys"):
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"
            case _:
                pass


def test_only_the_command_line_knows_arguments_environment_terminal_and_exit() -> None:
    plain = {"print", "input", "exit", "quit", "SystemExit", "breakpoint"}
    wrong = [
        f"{file.relative_to(SOURCE)}:{line} uses {name}"
        for file in FILES
        if file.relative_to(SOURCE).parts[0].removesuffix(".py") not in ENTRANCES
        for line, name in _attributes(file)
        if name in OUTSIDE | plain
    ]
    assert not wrong


def test_nothing_knows_which_directory_it_was_started_in_but_the_entrances() -> None:
    wrong = [
        f"{file.relative_to(SOURCE)}:{line}"
        for file in FILES
        if file.relative_to(SOURCE).parts[0].removesuffix(".py") not in ENTRANCES
        for line, name in _attributes(file)
        if name in {"Path.cwd", "os.getcwd"}
    ]
    assert not wrong


PACKAGES = [file for file in FILES if file.name == "__init__.py"]


@pytest.mark.parametrize("file", FILES, ids=[file.relative_to(SOURCE).as_posix() for file in FILES])
def test_every_module_says_what_it_is_for(file: Path) -> None:
    docstring = ast.get_docstring(_tree(file))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "...", ":")), docstring.splitlines()[0]


@pytest.mark.parametrize("file", PACKAGES, ids=[file.parent.name for file in PACKAGES])
def test_every_package_says_so_in_one_sentence(file: Path) -> None:
    docstring = ast.get_docstring(_tree(file)) or ""
    assert len(docstring.splitlines()) == 1
    assert docstring.endswith(".")
    assert docstring.count(". ") == 0


def _public_packages() -> list[str]:
    return [
        f"hullmark.{'.'.join(file.relative_to(SOURCE).parts[:-1])}".removesuffix(".")
        for file in PACKAGES
        if "__all__" in file.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", _public_packages())
def test_what_a_package_exports_is_there_and_nothing_else_was_made_for_it(name: str) -> None:
    package = importlib.import_module(name)
    for exported in package.__all__:
        assert getattr(package, exported) is not None
    assert len(set(package.__all__)) == len(package.__all__)
    tree = _tree(Path(str(package.__file__)))
    taken = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("hullmark")
        for alias in node.names
    }
    assert taken <= set(package.__all__)


def test_the_facade_exports_what_type_checkers_see_and_lists_it() -> None:
    seen = {
        alias.asname or alias.name
        for node in ast.walk(_tree(SOURCE / "__init__.py"))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("hullmark.")
        for alias in node.names
    }
    assert seen | {"__version__"} == set(hullmark.__all__)
    assert sorted(dir(hullmark)) == sorted(hullmark.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        hullmark.nope  # noqa: B018


def test_everything_can_be_imported_with_a_star() -> None:
    names: dict[str, Any] = {}
    exec("from hullmark import *", names)  # noqa: S102
    assert set(hullmark.__all__) <= set(names)


def _rule_modules() -> Iterator[str]:
    rules = importlib.import_module("hullmark.rules")
    for package in pkgutil.iter_modules(rules.__path__):
        if package.ispkg:
            for module in pkgutil.iter_modules([str(Path(rules.__path__[0]) / package.name)]):
                yield module.name


def test_every_module_of_a_rule_is_in_the_catalogue_under_its_own_name() -> None:
    assert [rule.id.replace("-", "_") for rule in catalogue()] == sorted(_rule_modules())
    assert len(catalogue()) > 10


@pytest.mark.parametrize("rule", catalogue(), ids=[rule.id for rule in catalogue()])
def test_the_page_of_a_rule_has_a_title_and_every_heading_in_order(rule: Any) -> None:
    lines = rule.page.splitlines()
    assert lines[0].strip()
    assert [line for line in lines if line in HEADINGS] == list(HEADINGS)
    for heading in HEADINGS:
        assert lines[lines.index(heading) + 1].strip(), f"{heading} is empty"
    assert not rule.summary.endswith(".")
    assert rule.since


def _situation_modules() -> Iterator[str]:
    package = importlib.import_module("hullmark._doctor.situations")
    for module in pkgutil.iter_modules(package.__path__):
        yield module.name


def test_every_module_of_a_situation_is_in_the_catalogue_under_its_own_name() -> None:
    assert [each.id.replace("-", "_") for each in situations()] == sorted(_situation_modules())
    assert len(situations()) >= 25


@pytest.mark.parametrize("situation", situations(), ids=[each.id for each in situations()])
def test_the_page_of_a_situation_has_a_title_and_every_heading_in_order(situation: Any) -> None:
    lines = situation.page.splitlines()
    assert lines[0].strip()
    assert [line for line in lines if line in diagnosis.HEADINGS] == list(diagnosis.HEADINGS)
    for heading in diagnosis.HEADINGS:
        assert lines[lines.index(heading) + 1].strip(), f"{heading} is empty"
    assert not situation.summary.endswith(".")
    assert situation.since


HEAVY = {"docker", "requests", "urllib3", "rich", "msgspec", "yaml", "tree_sitter"}


def _loaded(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after `statement`."""
    code = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", ["hullmark", "hullmark._cli", "hullmark.errors", "hullmark.model.report"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    loaded = _loaded(f"import {module}")
    assert "hullmark" in loaded
    assert not loaded & HEAVY


def test_what_is_heavy_is_seen_where_it_is_loaded() -> None:
    assert "yaml" in _loaded("import hullmark._compose.positions")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["check", "--help"], ["explain", "root-user"]]
)
def test_help_loads_nothing_that_reaches_out(arguments: list[str]) -> None:
    run = (
        "import io\nfrom hullmark._cli import main\nout = io.StringIO()\n"
        f"code = main({arguments!r}, stdout=out, stderr=io.StringIO(), environ={{}})\n"
        "assert code == 0 and out.getvalue()"
    )
    assert not _loaded(run) & {"docker", "requests", "urllib3", "yaml", "msgspec", "tree_sitter"}


def test_decoders_are_made_once_and_before_threads_use_them() -> None:
    """Where two threads make the first decoder of a type at the same time, msgspec 0.22 crashes the process."""
    late = []
    for file in FILES:
        for function in ast.walk(_tree(file)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in ast.walk(function):
                if not isinstance(call, ast.Call):
                    continue
                called = ast.unparse(call.func)
                typed = any(keyword.arg == "type" for keyword in call.keywords)
                if called.endswith(".Decoder") or (called.startswith("msgspec.") and typed):
                    late.append(f"{file.relative_to(SOURCE)}:{call.lineno} {called}")
    assert not late
