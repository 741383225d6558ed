"""A change that alters an image is never missed: what is said to be affected, against what the builder makes of it."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hullmark._ci import evidence
from hullmark._ci.digest import Digests
from hullmark._ci.examine import Where, examine
from hullmark._ci.inputs import inputs_of
from hullmark._ci.objects import objects_of
from hullmark._ci.repository import find_repository
from hullmark._compose import resolve
from hullmark._process import SystemCommands
from hullmark.model.project import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.docker

SERVICES = ("one", "two", "three")
PATHS = (
    *("a/1.txt", "a/2.txt", "a/keep.md", "a/notes.md", "a/deep/3.txt", "a/deep/er/4.md"),
    *("b/x", "b/sub/y", "b/sub/z.txt", "top.txt", "with space.txt", "[odd].txt"),
)
"""In each context, some of them."""
CONTEXTS = (".", "shared")
REFUSED = re.compile(
    r'failed to calculate checksum of ref .*: "/.*": not found$'  # no such source, or the ignore file has it
    r"|no source files were specified|lstat .*: no such file or directory|syntax error in pattern"
    r"|too many symlinks",
    re.MULTILINE,
)
"""What the builder says of sources that there are not, and of patterns that are none."""
COPIES = (
    *("COPY a /a", "COPY a/*.txt /texts/", "COPY . /all/", "COPY b/s?b /w/", "ADD b/x /y"),
    *('COPY ["with space.txt", "/s/"]', "COPY a/deep/ /deep/", "COPY t*.txt a/1.txt /several/"),
    *("COPY */*.md /md/", "COPY ./b/../b/sub /sub", "COPY [[]odd].txt /odd", "COPY --chmod=600 top.txt /t"),
    *(
        "COPY <<EOF /document\ntext\nEOF",
        "COPY c/x /c",
        "COPY a/l.txt /l",
        "COPY c /cc",
        "COPY c/s*/*.txt /cs/",
        "ARG WHERE=a\nCOPY $WHERE /where/",
        "COPY --from=lib a/deep /lib/",
        "COPY --from=lib b/x top.txt /libs/",
    ),
)
MOUNTS = (None, None, None, "a", "b/sub", "c", "top.txt")
"""What a RUN of a stage of its own is given; most images have no such stage."""
IGNORES = (
    *("*.md", "!a/keep.md", "b", "!b/x", "**/y", "a/*", "!a/deep", "**/*.txt", "!**/3.txt", "*"),
    *("!a", "# a comment", "top.*", "/a/1.txt", "**/Dockerfile*", ".git"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """How one service is built."""

    context: str
    copies: tuple[str, ...]
    before: tuple[str, ...]
    """Of a stage that the last one copies from."""
    unused: tuple[str, ...]
    """Of a stage that nobody needs."""
    where: str | None = None
    """A build argument."""
    mount: str | None = None
    """What a RUN is given."""

    def dockerfile(self) -> str:
        """The text."""
        return "\n".join(
            (
                "FROM scratch AS unused",
                *self.unused,
                "FROM scratch AS before",
                "COPY <<EOF /first",
                "EOF",
                *self.before,
                *self._mounting(),
                "FROM scratch",
                "COPY --from=before / /before/",
                *(("COPY --from=mounting /seen /seen",) if self.mount else ()),
                *self.copies,
                'CMD ["/none"]',
                "",
            )
        )

    def _mounting(self) -> tuple[str, ...]:
        if self.mount is None:
            return ()
        seen = "find /in -type f -print0 | sort -z | xargs -0 -r cat > /seen"
        return (
            "FROM debian:bookworm-slim AS mounting",
            f"RUN --mount=type=bind,source={self.mount},target=/in {seen}",
        )


PLAIN = Image(context=".", copies=("COPY a /a",), before=(), unused=())
copies = st.lists(st.sampled_from(COPIES), max_size=2).map(tuple)
images = st.builds(
    Image,
    context=st.sampled_from(CONTEXTS),
    copies=copies,
    before=st.lists(st.sampled_from(COPIES), max_size=2).map(tuple),
    unused=copies,
    where=st.sampled_from((None, "b", "top.txt", "a/deep")),
    mount=st.sampled_from(MOUNTS),
)
ignores = st.lists(st.sampled_from(IGNORES), max_size=2).map("\n".join)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, str, str]:
    """What is done, to which path, and the other path that it needs."""
    what = draw(st.sampled_from(("content", "mode", "rename", "delete", "new", "link", "ignore", "touch")))
    context = draw(st.sampled_from(CONTEXTS))
    path, other = draw(st.sampled_from(PATHS)), draw(st.sampled_from((*PATHS, "a/new.txt", "b/sub/new.md")))
    return what, f"{context}/{path}", f"{context}/{other}"


@dataclass(kw_only=True)
class Tried:
    """How often what was said was needed."""

    said: int = 0
    altered: int = 0
    unbuilt: int = 0
    examples: int = 0


@pytest.fixture
def tried() -> Iterator[Tried]:
    """Prints what came out, which must be enough to go by."""
    counted = Tried()
    yield counted
    print(  # noqa: T201  # shown with -s and -rP
        f"\n{counted.examples} changes of {len(SERVICES)} services: {counted.altered} images altered, "
        f"{counted.said} said to be affected, {counted.said - counted.altered} of them for nothing; "
        f"{counted.unbuilt} could be built neither before nor after"
    )
    assert counted.altered > 0
    assert counted.unbuilt < counted.examples * len(SERVICES) * 3 / 4


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written a moment ago count as old ones, so that what is known of a project is kept."""
    monkeypatch.setattr(evidence, "GRANULARITY", -3600.0)


@settings(
    max_examples=15,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@example(
    built=(PLAIN, replace(PLAIN, context="shared", mount="a"), replace(PLAIN, copies=("COPY b /b",))),
    ignored=("", ""),
    own_ignore="",
    steps=[("content", "./a/1.txt", "./top.txt"), ("content", "shared/a/1.txt", "shared/top.txt")],
)
@given(
    built=st.tuples(images, images, images),
    ignored=st.tuples(ignores, ignores),
    own_ignore=ignores,
    steps=st.lists(mutations(), min_size=1, max_size=5),
)
def test_a_change_that_alters_an_image_is_never_missed(
    tried: Tried,
    environ: Mapping[str, str],
    built: tuple[Image, ...],
    ignored: tuple[str, str],
    own_ignore: str,
    steps: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory(prefix="hullmark-test-") as name:
        top = Path(name).resolve() / "work"
        top.mkdir()
        bench = _Bench(top, {**environ, "HULLMARK_CACHE_DIR": f"{name}/cache"})
        bench.write(built, ignored, own_ignore)
        bench.git("init", "--quiet")
        bench.git("add", "--all", "--force")
        bench.git("commit", "--quiet", "--message", "all")
        try:
            before, digests = bench.outcomes(built), bench.digests()
            assert not bench.affected()  # and what is known of the project is kept from here on
            for step in steps:
                bench.mutate(*step)
            after, later = bench.outcomes(built), bench.digests()
            affected = set(bench.affected())
            anew = set(bench.affected(HULLMARK_NO_CACHE="1"))
        finally:
            bench.remove_images()
    altered = {service for service in SERVICES if before[service] != after[service]}
    assert altered <= affected
    assert affected == anew
    # Equal digests mean that there is nothing to build.
    assert altered <= {service for service in SERVICES if digests[service] != later[service]}
    tried.examples += 1
    tried.said += len(affected)
    tried.altered += len(altered)
    tried.unbuilt += sum(before[service] == after[service] == "fails" for service in SERVICES)


class _Bench:
    """A project that is built, changed, and built again."""

    def __init__(self, top: Path, environ: Mapping[str, str]) -> None:
        self.top = top
        self.made: set[str] = set()
        self.environ = environ
        self.commands = SystemCommands(self.environ, threading.Event())

    def git(self, *arguments: str) -> None:
        subprocess.run(
            ("git", *arguments), cwd=self.top, env=dict(self.environ), check=True, capture_output=True
        )

    def write(self, built: tuple[Image, ...], ignored: tuple[str, str], own_ignore: str) -> None:
        lines = ["name: generated", "services:"]
        for service, image in zip(SERVICES, built, strict=True):
            lines += [
                f"  {service}:",
                "    build:",
                f"      context: {image.context}",
                f"      dockerfile: {self.top}/docker/{service}.Dockerfile",
                "      additional_contexts: {lib: ./shared}",
                *([f"      args: {{WHERE: {image.where}}}"] if image.where else []),
            ]
            self._file(f"docker/{service}.Dockerfile", image.dockerfile())
        self._file("compose.yml", "\n".join(lines) + "\n")
        for context, text in zip(CONTEXTS, ignored, strict=True):
            self._file(f"{context}/.dockerignore", text + "\n")
            (self.top / context / "a").mkdir(parents=True)
            # A source may be a link, or lie behind one; what it leads to is what is copied.
            (self.top / context / "a/l.txt").symlink_to("../b/x")
            (self.top / context / "c").symlink_to("b")
            for path in PATHS:
                if "new" not in path:
                    self._file(f"{context}/{path}", f"{context} {path}\n")
        if own_ignore:
            self._file(f"docker/{SERVICES[0]}.Dockerfile.dockerignore", own_ignore + "\n")

    def _file(self, name: str, text: str) -> None:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def mutate(self, what: str, path: str, other: str) -> None:
        """Changes a file; where there is none any more, nothing."""
        file, target = self.top / path, self.top / other
        if what == "ignore":
            with (self.top / path.partition("/")[0] / ".dockerignore").open("a", encoding="utf-8") as ignore:
                ignore.write(f"{other.partition('/')[2]}\n")
        elif what == "new" and target.parent.is_dir():
            target.write_text("new\n", encoding="utf-8")
        elif file.is_file() and not file.is_symlink():
            _mutate(what, file, target)

    def outcomes(self, built: tuple[Image, ...]) -> dict[str, str]:
        """The image of each service by its id, or that it cannot be built."""
        return {service: self._build(service, image) for service, image in zip(SERVICES, built, strict=True)}

    def _build(self, service: str, image: Image) -> str:
        done = subprocess.run(
            (
                *("docker", "build", "--quiet", "-f", f"docker/{service}.Dockerfile"),
                *("--build-context", "lib=shared"),
                *(("--build-arg", f"WHERE={image.where}") if image.where else ()),
                image.context,
            ),
            cwd=self.top,
            env={**self.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            # Whatever else the matter is says nothing of what is affected.
            assert REFUSED.search(done.stderr), done.stderr
            return "fails"
        self.made.add(done.stdout.strip())
        return done.stdout.strip()

    def remove_images(self) -> None:
        if self.made:
            subprocess.run(("docker", "rmi", "--force", *self.made), check=True, capture_output=True)

    def affected(self, **environ: str) -> tuple[str, ...]:
        environment = {**self.environ, **environ}
        where = Where(directory=self.top, commands=self.commands, environ=environment, flags={})
        return examine(where, "HEAD").to_build

    def digests(self) -> dict[str, str | None]:
        project = resolve(self.top, Settings(), self.commands)
        made = Digests.of_project(
            project,
            inputs_of(project).get,
            objects_of(find_repository(self.top, self.commands)),
            self.environ,
        )
        return {service: made.of(service).digest for service in SERVICES}


def _mutate(what: str, file: Path, target: Path) -> None:
    match what:
        case "content":
            file.write_text("other\n", encoding="utf-8")
        case "mode":
            file.chmod(0o755)
        case "touch":
            file.touch()
        case "delete":
            file.unlink()
        case "link":
            file.unlink()
            file.symlink_to(target.name)
        case "rename" if target.parent.is_dir() and not target.is_dir():
            file.rename(target)
        case _:
            pass
