"""Files of an earlier commit, written to a directory of their own."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._ci.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One commit, of which files can be written below `top`."""

    repository: Repository
    commit: str
    top: Path
    """Stands for the top of the repository."""
    index: Path
    paths: frozenset[str]
    """All files of the commit, relative to the top; submodules are not among them."""

    def write(self, paths: Iterable[str]) -> bool:
        """Writes those of `paths` that the commit has and that are not there yet; whether there were any."""
        wanted = [path for path in sorted(self.paths.intersection(paths)) if not (self.top / path).exists()]
        if not wanted:
            return False
        self.repository.ask(
            *("checkout-index", "--quiet", "--force", f"--prefix={self.top}/", "-z", "--stdin"),
            stdin="".join(f"{path}\0" for path in wanted),
            index=self.index,
        )
        return True

    def write_all(self) -> None:
        """Writes every file of the commit."""
        self.repository.ask(
            "checkout-index", "--quiet", "--force", "--all", f"--prefix={self.top}/", index=self.index
        )


@contextlib.contextmanager
def revision(repository: Repository, commit: str) -> Iterator[Revision]:
    """The commit, as long as this lasts; the repository, its index and its work tree stay as they are."""
    with tempfile.TemporaryDirectory(prefix="hullmark-", ignore_cleanup_errors=True) as name:
        directory = Path(name).resolve()
        # Compose calls a project by the name of its directory where nothing else names it.
        top = directory / "work" / repository.top.name
        top.mkdir(parents=True)
        index = directory / "index"
        repository.ask("read-tree", commit, index=index)
        listed = repository.ask("ls-files", "-s", "-z", index=index).split("\0")
        yield Revision(
            repository=repository,
            commit=commit,
            top=top,
            index=index,
            paths=frozenset(
                path
                for mode, _, path in (record.partition("\t") for record in listed if record)
                if not mode.startswith("160000")
            ),
        )
