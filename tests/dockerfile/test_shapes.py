"""Dockerfiles of the shapes that well-known projects have: read whole, to the letter, and linted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hullmark._dockerfile import load, parse
from hullmark._dockerfile.lint import lint
from hullmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.dockerfile import Dockerfile, Flag, Instruction
    from hullmark.model.location import SourceSpan

DIRECTORY = Path(__file__).parent / "shapes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is to be known of one file."""

    stages: tuple[str, ...]
    """Each stage as `name <- base`, with `+` before the other stages that it takes something from."""
    decides: dict[str, str]
    """What decides in the image of the last stage."""
    environment: dict[str, str]
    """ENV of the last stage, what it inherits included."""
    commands: int
    """Shell commands in all of its RUN instructions."""
    programs: frozenset[str]
    """Some of the programs among them."""


SHAPES = {
    "cuda-torch": Shape(
        stages=(
            "dev-base <- ubuntu:22.04",
            "conda <- dev-base",
            "build <- conda",
            "official <- ubuntu:22.04 + build",
            "dev <- official + build",
        ),
        decides={"CMD": '["bash"]', "WORKDIR": "/workspace"},
        environment={
            "PATH": "/opt/conda/bin:$PATH",
            "NVIDIA_VISIBLE_DEVICES": "all",
            "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
            "LD_LIBRARY_PATH": "/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
        },
        commands=17,
        programs=frozenset({"update-ccache-symlinks", "ccache", "bash", "which", "python", "test"}),
    ),
    "distroless-static": Shape(
        stages=(
            "builder <- golang:1.23",
            "1 <- gcr.example.com/distroless/static:nonroot@sha256:" + "0123456789abcdef" * 4 + " + builder",
        ),
        decides={"ENTRYPOINT": '["/manager"]', "USER": "65532:65532", "WORKDIR": "/"},
        environment={},
        commands=1,
        programs=frozenset({"go"}),
    ),
    "django-uv": Shape(
        stages=(
            "uv <- ghcr.io/example/uv:0.5",
            "build <- python:3.13-slim-bookworm + uv",
            "2 <- python:3.13-slim-bookworm + build",
        ),
        decides={
            "CMD": '["gunicorn", "site.wsgi", "--bind", "0.0.0.0:8000"]',
            "USER": "app",
            "WORKDIR": "/app",
            "STOPSIGNAL": "SIGINT",
            "LABEL": 'python="$PYTHON"',
            "HEALTHCHECK": "CMD python -c \"import urllib.request as u; u.urlopen('http://localhost:8000/up')\""
            " || exit 1",
        },
        environment={"PATH": "/app/.venv/bin:$PATH", "PYTHONUNBUFFERED": "1"},
        commands=3,
        programs=frozenset({"uv", "python"}),
    ),
    "dotnet-projects": Shape(
        stages=(
            "base <- mcr.example.com/dotnet/aspnet:9.0",
            "build <- mcr.example.com/dotnet/sdk:9.0",
            "publish <- build",
            "final <- base + publish",
        ),
        decides={
            "ENTRYPOINT": '["dotnet", "Quay.Api.dll"]',
            "USER": "$APP_UID",
            "EXPOSE": "8081",
            "WORKDIR": "/app",
        },
        environment={},
        commands=3,
        programs=frozenset({"dotnet"}),
    ),
    "elixir-release": Shape(
        stages=(
            "builder <- hexpm/elixir:1.17.3-erlang-27.1-debian-bookworm-20241016-slim",
            "1 <- debian:bookworm-20241016-slim + builder",
        ),
        decides={"CMD": '["/app/bin/server"]', "USER": "nobody", "WORKDIR": '"/app"'},
        environment={"LANG": "en_US.UTF-8", "LANGUAGE": "en_US:en", "MIX_ENV": "prod"},
        commands=18,
        programs=frozenset({"mix", "apt-get", "locale-gen", "chown", "rm"}),
    ),
    "go-cross": Shape(
        stages=(
            "toolchain <- golang:1.23-bookworm",
            "modules <- toolchain",
            "compile <- modules",
            "test <- compile",
            "binaries <- scratch + compile",
            "run <- debian:bookworm-slim + binaries",
        ),
        decides={
            "ENTRYPOINT": '["harbour"]',
            "CMD": '["serve", "--listen=:8080"]',
            "USER": "65532:65532",
            "EXPOSE": "8080/tcp 9090",
            "HEALTHCHECK": 'CMD ["harbour", "ping"]',
        },
        environment={},
        commands=7,
        programs=frozenset({"go", "export", "set"}),
    ),
    "java-layers": Shape(
        stages=(
            "package <- eclipse-temurin:21-jdk",
            "layers <- package",
            "final <- eclipse-temurin:21-jre + layers",
        ),
        decides={
            "ENTRYPOINT": "exec java $JAVA_TOOL_OPTIONS org.springframework.boot.loader.launch.JarLauncher",
            "USER": "spring",
            "VOLUME": "/opt/ferry/logs",
            "EXPOSE": "8080",
            "WORKDIR": "/opt/ferry",
        },
        environment={"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=75.0 -XX:+ExitOnOutOfMemoryError"},
        commands=6,
        programs=frozenset({"mvnw", "mv", "java", "useradd", "groupadd"}),
    ),
    "next-standalone": Shape(
        stages=(
            "base <- node:22-alpine",
            "deps <- base",
            "builder <- base + deps",
            "runner <- base + builder",
        ),
        decides={
            "CMD": 'HOSTNAME="0.0.0.0" node server.js',
            "USER": "nextjs",
            "EXPOSE": "3000",
            "WORKDIR": "/app",
        },
        environment={"NODE_ENV": "production", "NEXT_TELEMETRY_DISABLED": "1", "PORT": "3000"},
        commands=12,
        programs=frozenset({"corepack", "yarn", "npm", "pnpm", "echo", "exit", "adduser"}),
    ),
    "nginx-heredoc": Shape(
        stages=("web <- debian:bookworm-slim",),
        decides={
            "ENTRYPOINT": '["/docker-entrypoint.sh"]',
            "CMD": '["nginx", "-g", "daemon off;"]',
            "EXPOSE": "${PORT}",
            "STOPSIGNAL": "SIGQUIT",
        },
        environment={},
        commands=6,
        programs=frozenset({"sh", "apt-get", "rm", "ln", "chmod"}),
    ),
    "node-official": Shape(
        stages=("0 <- buildpack-deps:bookworm",),
        decides={"ENTRYPOINT": '["docker-entrypoint.sh"]', "CMD": '[ "node" ]'},
        environment={"NODE_VERSION": "22.12.0"},
        commands=18,
        programs=frozenset({"gpg", "curl", "tar", "sha256sum", "ln", "dpkg", "useradd", "npm"}),
    ),
    "onbuild": Shape(
        stages=("0 <- python:3.13-slim",),
        decides={"ENTRYPOINT": '["python"]', "HEALTHCHECK": "NONE", "WORKDIR": "/usr/src/app"},
        environment={},
        commands=0,
        programs=frozenset(),
    ),
    "php-fpm": Shape(
        stages=("0 <- debian:bookworm-slim",),
        decides={
            "CMD": '["php-fpm"]',
            "STOPSIGNAL": "SIGQUIT",
            "EXPOSE": "9000",
            "WORKDIR": "/var/www/html",
        },
        environment={
            "PHPIZE_DEPS": "autoconf \t\tdpkg-dev \t\tfile \t\tg++ \t\tpkg-config",
            "PHP_INI_DIR": "/usr/local/etc/php",
            "PHP_CFLAGS": "-fstack-protector-strong -fpic -fpie -O2 -D_LARGEFILE_SOURCE",
            "PHP_CPPFLAGS": "-fstack-protector-strong -fpic -fpie -O2 -D_LARGEFILE_SOURCE",
            "PHP_LDFLAGS": "-Wl,-O1 -pie",
            "PHP_URL": "https://example.org/php-8.3.tar.xz",
            "PHP_ASC_URL": "https://example.org/php-8.3.tar.xz.asc",
        },
        commands=32,
        programs=frozenset({"apt-mark", "configure", "make", "awk", "tee", "nproc", "dpkg-query"}),
    ),
    "postgres-official": Shape(
        stages=("0 <- debian:bookworm-slim",),
        decides={
            "ENTRYPOINT": '["entrypoint.sh"]',
            "CMD": '["keeper"]',
            "STOPSIGNAL": "SIGINT",
            "VOLUME": "/var/lib/keeper/data",
            "EXPOSE": "5432",
        },
        environment={
            "STEP_VERSION": "1.17",
            "KEEPER_MAJOR": "17",
            "KEEPER_VERSION": "17.2-1.pgdg12+1",
            "PATH": "$PATH:/usr/lib/keeper/17/bin",
            "LANG": "en_US.utf8",
            "KEEPER_DATA": "/var/lib/keeper/data",
        },
        commands=41,
        programs=frozenset({"useradd", "install", "wget", "gpg", "stepdown", "dpkg-scanpackages", "find"}),
    ),
    "rust-chef": Shape(
        stages=(
            "base <- rust:1.83-slim",
            "plan <- base",
            "build <- base + plan",
            "3 <- debian:bookworm-slim + build",
        ),
        decides={"CMD": '["lantern"]', "USER": "lantern"},
        environment={},
        commands=10,
        programs=frozenset({"cargo", "objcopy", "strip", "apt-get", "adduser"}),
    ),
    "squashed": Shape(
        stages=("runtime <- debian:bookworm-slim", "1 <- scratch + runtime"),
        decides={"USER": "app", "LABEL": 'org.opencontainers.image.version="${VERSION}"'},
        environment={},
        commands=2,
        programs=frozenset({"useradd", "rm"}),
    ),
    "windows-servercore": Shape(
        stages=(
            "installer <- mcr.example.com/windows/servercore:ltsc2022",
            "1 <- mcr.example.com/windows/nanoserver:ltsc2022 + installer",
        ),
        decides={
            "ENTRYPOINT": r'["C:\\pier\\bin\\pier.exe"]',
            "CMD": r'["--config", "C:\\pier\\conf.ini"]',
            "USER": "ContainerUser",
            "WORKDIR": r"C:\pier",
            "HEALTHCHECK": "CMD powershell -Command     try { exit 0 } catch { exit 1 }",
        },
        environment={},
        commands=0,
        programs=frozenset(),
    ),
}
DECIDING = frozenset(
    {"CMD", "ENTRYPOINT", "USER", "HEALTHCHECK", "WORKDIR", "STOPSIGNAL", "VOLUME", "EXPOSE"}
)
FILES = sorted(DIRECTORY.iterdir())


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """Each of the files."""
    found: Path = request.param
    return found


@pytest.fixture
def dockerfile(path: Path) -> Dockerfile:
    """What is read from it."""
    return load(path, DIRECTORY)


def test_every_shape_is_described() -> None:
    assert [path.stem for path in FILES] == sorted(SHAPES)


def test_its_stages_and_what_they_are_made_from_are_known(path: Path, dockerfile: Dockerfile) -> None:
    found = []
    for stage in dockerfile.stages:
        others = [
            each.label
            for each in stage.upstream
            if str(each.index) != str(stage.base) and each.label != str(stage.base)
        ]
        found.append(f"{stage.label} <- {stage.base}" + "".join(f" + {each}" for each in others))
    assert tuple(found) == SHAPES[path.stem].stages


def test_what_decides_in_its_image_is_known(path: Path, dockerfile: Dockerfile) -> None:
    final = dockerfile.stages[-1]
    expected = SHAPES[path.stem]
    found = {keyword: final.last(keyword) for keyword in DECIDING | expected.decides.keys()}
    assert {name: each.value for name, each in found.items() if each is not None} == expected.decides
    assert final.environment == expected.environment


def test_its_shell_commands_are_known(path: Path, dockerfile: Dockerfile) -> None:
    commands = [command for each in dockerfile.instructions for command in each.commands]
    expected = SHAPES[path.stem]
    assert len(commands) == expected.commands, [str(command) for command in commands]
    assert expected.programs <= {command.program for command in commands}
    unread = {each.unread for each in dockerfile.instructions if each.unread}
    windows = {"SHELL is powershell, not a POSIX shell", "SHELL is cmd, not a POSIX shell"}
    assert unread == (windows if path.stem == "windows-servercore" else set())


def test_what_a_squash_takes_away_is_known() -> None:
    final = load(DIRECTORY / "squashed.Dockerfile", DIRECTORY).stages[-1]
    lost = {
        name: found.instruction.value
        for name in sorted(DECIDING)
        if final.last(name) is None and (found := final.lost(name)) is not None
    }
    assert lost == {"CMD": '["run"]', "HEALTHCHECK": 'CMD ["true"]', "WORKDIR": "$APP_HOME"}
    assert final.lost_pair("ENV", "APP_HOME") is not None


def test_what_waits_for_another_build_is_known() -> None:
    stage = load(DIRECTORY / "onbuild.Dockerfile", DIRECTORY).stages[-1]
    triggers = [each.trigger.keyword for each in stage.instructions if each.trigger is not None]
    assert triggers == ["COPY", "RUN", "ADD", "ARG", "USER"]


def test_it_is_linted(dockerfile: Dockerfile) -> None:
    findings = lint(dockerfile)
    assert findings
    assert {str(each.location).split(":")[0] for each in findings} == {dockerfile.path}
    for stage in dockerfile.stages:
        lint(dockerfile, target=stage.label)


def test_its_spans_are_exact(dockerfile: Dockerfile) -> None:
    ranges = [(_range(dockerfile.text, each.span), each) for each in _everything(dockerfile)]
    after = 0
    for (start, end), instruction in ranges:
        between = dockerfile.text[after:start].split("\n")
        assert all(not line.strip() or line.lstrip().startswith("#") for line in between)
        written = dockerfile.text[start:end]
        assert written == dockerfile.excerpt(instruction.span)
        head = written.split("\n")
        if instruction.heredocs:
            head = head[: instruction.heredocs[0].span.line - instruction.span.line]
        joined = _joined(head, dockerfile.escape).rstrip()
        assert joined.endswith(instruction.value)
        assert joined[: len(joined) - len(instruction.value)].split() == _opening(instruction)
        after = end
    assert not dockerfile.text[after:].strip()


def test_the_spans_inside_of_its_instructions_are_exact(dockerfile: Dockerfile) -> None:
    def at(span: SourceSpan) -> str:
        start, end = _range(dockerfile.text, span)
        return dockerfile.text[start:end]

    for each in _everything(dockerfile):
        for flag in each.flags:
            assert at(flag.span) == _written(flag)
        for pair in each.pairs:
            assert at(pair.span).startswith(pair.name)
            assert pair.raw is None or "\\\n" in at(pair.span) or at(pair.span).endswith(pair.raw)
        for heredoc in each.heredocs:
            lines = at(heredoc.span).split("\n")
            assert "\n".join([*lines[:-1], ""]) == heredoc.content
            assert lines[-1].strip("\t") == heredoc.name
        for word in each.words:
            assert at(word.span) in (word.text, f'"{word.text}"')
        for command in each.commands:
            for word in command.words:
                inside = at(word.span)
                assert inside == word.text or set(inside) & set("\"'\\")
            assert at(command.span).endswith(at(command.words[-1].span))


def _everything(dockerfile: Dockerfile) -> Iterator[Instruction]:
    """The instructions in the order of the file, those before the first FROM and each FROM included."""
    yield from dockerfile.arguments
    for stage in dockerfile.stages:
        yield stage.opening
        yield from stage.instructions


def _range(text: str, span: SourceSpan) -> tuple[int, int]:
    """The place of `span` in `text`, counted from its beginning."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1


def _joined(lines: list[str], escape: str) -> str:
    """`lines` as one, without comments and what continues them."""
    kept = [lines[0], *(line for line in lines[1:] if line.strip() and not line.lstrip().startswith("#"))]
    return "".join(line.rstrip()[:-1] if line.rstrip().endswith(escape) else line for line in kept)


def _opening(instruction: Instruction) -> list[str]:
    """The keyword and the flags."""
    return [instruction.keyword, *(_written(flag) for flag in instruction.flags)]


def _written(flag: Flag) -> str:
    return f"--{flag.name}" if flag.value is None else f"--{flag.name}={flag.value}"


PIECES = st.sampled_from(
    [
        *(
            "\\\n",
            "\\",
            "`",
            "\n",
            "\r\n",
            "\x00",
            "\ufeff",
            '"',
            "'",
            "[",
            "]",
            "${",
            "}",
            "$",
            "<<EOF",
            "<<-'E'",
        ),
        *(
            "--from=1 ",
            "--mount=type=bind,from=9 ",
            "--x ",
            "#",
            "# escape=`\n",
            "FROM ",
            "ONBUILD ",
            " AS a",
            "&&",
        ),
        *(
            "HEALTHCHECK ",
            "ARG ",
            "$(",
            "\u2028",
            "\U0001f6a2",
            "\t",
            "=",
            "SHELL ",
            "COPY . .",
            "case x in",
            "<(",
        ),
    ]
)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """One of the files with something left out, put in, doubled or moved, some times over."""
    text = draw(st.sampled_from(FILES)).read_text(encoding="utf-8")
    for _ in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + draw(PIECES) + text[start:]
            case 2:
                text = text[:end] + text[start:]
            case _:
                to = draw(st.integers(0, len(text)))
                text = text[:to] + text[start:end] + text[to:]
    return text


@settings(max_examples=300)
@given(_mutated())
def test_a_file_that_was_mutilated_is_read_and_linted_or_refused_with_a_place(text: str) -> None:
    try:
        dockerfile = parse(text, "Dockerfile")
    except ConfigurationError as error:
        problems = error.problems
    else:
        for finding in lint(dockerfile):
            assert finding.seen
        for each in _everything(dockerfile):
            assert dockerfile.excerpt(each.span)
        return
    assert problems
    for problem in problems:
        name, line, column, _ = problem.split(":", 3)
        assert name == "Dockerfile"
        assert 1 <= int(line) <= text.count("\n") + 1
        assert int(column) >= 1
