"""What the builder really makes of a context."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMES = ("a", "b", "ab", "a.b", "x.md", "[a]", "^a", "a b", "é", ".h", "A", "!a", "#a", "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A context, and a Dockerfile beside it."""

    top: Path

    @property
    def context(self) -> Path:
        """The directory that is built from."""
        return self.top / "context"

    @property
    def dockerfile(self) -> Path:
        """Where its Dockerfile is, out of its own way."""
        return self.top / "docker" / "Dockerfile"

    def build(self, text: str, *arguments: str) -> dict[str, bytes] | None:
        """What is in the image that the Dockerfile in `text` makes, by path; `None` where the builder refuses.

        Of a directory it is nothing, of a link an arrow and what it leads to.
        """
        self.dockerfile.write_text(text, encoding="utf-8")
        done = subprocess.run(
            (
                *("docker", "buildx", "build", "--quiet", "--output", "type=tar,dest=-"),
                *("--file", str(self.dockerfile), *arguments, str(self.context)),
            ),
            capture_output=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            return None
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            return {
                member.name.strip("/"): _content(archive, member)
                for member in archive
                if member.name.strip("/") not in {"", "."}
            }


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.issym():
        return f"-> {member.linkname}".encode()
    found = archive.extractfile(member) if member.isfile() else None
    return b"" if found is None else found.read()


@contextmanager
def bench(paths: Iterable[str]) -> Iterator[Bench]:
    """A context with `paths`; those that end in a slash are directories."""
    with tempfile.TemporaryDirectory() as directory:
        found = Bench(top=Path(directory))
        found.dockerfile.parent.mkdir()
        found.context.mkdir()
        for path in paths:
            where = found.context / path
            if path.endswith("/"):
                where.mkdir(parents=True, exist_ok=True)
            else:
                where.parent.mkdir(parents=True, exist_ok=True)
                where.write_text(path, encoding="utf-8")
        yield found


@st.composite
def trees(draw: st.DrawFn) -> tuple[str, ...]:
    """Paths of files and of empty directories, none of which is in the way of another."""
    found: set[str] = set()
    files: set[str] = set()
    for parts in draw(
        st.lists(
            st.tuples(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), st.booleans()),
            min_size=1,
            max_size=12,
        )
    ):
        names, is_file = parts
        path = "/".join(names)
        above = {"/".join(names[:number]) for number in range(1, len(names))}
        if above & files or path in files or any(each.startswith(f"{path}/") for each in found):
            continue
        found.add(path if is_file else f"{path}/")
        if is_file:
            files.add(path)
    return tuple(sorted(found))
