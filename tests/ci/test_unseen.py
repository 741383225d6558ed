"""What git says nothing of is compared all the same, or it is said that it is not."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci.digest import Digests
from hullmark._ci.inputs import inputs_of
from hullmark._ci.objects import objects_of
from hullmark._ci.records import Records
from hullmark._cli import main
from hullmark._compose import resolve
from hullmark._settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Checkout = Any
"""Of the conftest, which is no module to import from."""
FILES = {
    "compose.yml": "name: shop\nservices:\n  web: {build: web}\n  other: {build: other}\n",
    "web/Dockerfile": "FROM debian\nCOPY . /srv\n",
    "web/.dockerignore": "**/*.tmp\nnode_modules\n",
    "web/main.py": "main\n",
    "web/tool": "tool\n",
    "other/Dockerfile": "FROM debian\nCOPY kept /\n",
    "other/kept": "kept\n",
    ".gitignore": "*.bin\n*.tmp\nnode_modules\nmodels/\n",
}


@pytest.fixture
def shop(repository: Checkout) -> Checkout:
    """A project that is committed."""
    repository.commit(FILES)
    return repository


def _report(repository: Checkout, *arguments: str, cache: Path | None = None) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    kept = {"HULLMARK_NO_CACHE": "1"} if cache is None else {"HULLMARK_CACHE_DIR": str(cache)}
    argv = ("-C", str(repository.top), "affected", "--format", "json", *arguments)
    code = main(argv, stdout=out, stderr=err, environ={**repository.environ, **kept})
    assert code == 0, err.getvalue()
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def _build(repository: Checkout, environ: Mapping[str, str]) -> None:
    """Records what images are built from, as a build does."""
    settings = load_settings(repository.top, {}, {})
    project = resolve(repository.top, settings, repository.commands)
    digests = Digests.of_project(project, inputs_of(project).get, objects_of(None), repository.environ)
    for name in ("web", "other"):
        Records.at(environ).keep(project, digests.of(name))


def test_what_git_ignores_and_an_image_takes_is_told(shop: Checkout) -> None:
    shop.write_all(
        {
            "web/data.bin": "1",
            "web/deep/models/a": "1",
            "web/deep/models/b": "1",
            "web/deep/models/c.tmp": "1",
            # What the builder does not see either.
            "web/cache.tmp": "1",
            "web/node_modules/x": "1",
            # What this image does not take.
            "other/data.bin": "1",
        }
    )
    base = shop.git("rev-parse", "HEAD")
    notes = ["`web` takes web/data.bin and 2 more, which git ignores: not compared"]
    assert _report(shop)["notes"] == notes
    assert _report(shop, "--head", "HEAD")["notes"] == notes
    shop.commit({"README": "2"})
    shop.git("rm", "--quiet", "--cached", "-r", "web/data.bin", "web/deep")
    shop.git("commit", "--quiet", "--amend", "--no-edit")
    assert _report(shop, "--head", base)["notes"] == [
        "`web` takes web/data.bin and 1 more, which git ignores: not compared"
    ]


def test_what_git_ignores_counts_once_it_is_not_as_it_was_built(shop: Checkout, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shop.write_all({"web/data.bin": "1", "web/models/a": "1"})
    _build(shop, {"HULLMARK_CACHE_DIR": str(cache)})
    report = _report(shop, cache=cache)
    assert report["build"] == []
    assert report["notes"] == [
        "`web` takes web/data.bin and 1 more, which git ignores: as when it was last built here"
    ]
    shop.write_all({"web/models/a": "2", "web/models/new": "3"})
    report = _report(shop, cache=cache)
    assert report["build"] == ["web"]
    web = next(each for each in report["services"] if each["name"] == "web")
    told = "`web` takes it, which git ignores, and it is not as when `web` was last built here"
    assert [(each["path"], each["text"]) for each in web["build_reasons"]] == [
        ("web/models/a", told),
        ("web/models/new", told),
    ]
    assert report["notes"] == ["`web` takes web/data.bin, which git ignores: as when it was last built here"]


def test_what_git_ignores_in_a_directory_that_is_new_is_told(shop: Checkout) -> None:
    shop.write_all({"web/new/deep/data.bin": "1", "web/new/main.py": "1", "web/[new]/x.bin": "1"})
    report = _report(shop)
    assert [each["path"] for each in report["changes"]] == ["web/new/main.py"]
    assert report["notes"] == ["`web` takes web/[new]/x.bin and 1 more, which git ignores: not compared"]


def test_an_ignored_dockerfile_is_told_as_well(shop: Checkout) -> None:
    shop.git("rm", "--quiet", "--cached", "web/Dockerfile")
    shop.commit({".gitignore": "Dockerfile\n"})
    shop.git("rm", "--quiet", "--cached", "web/Dockerfile")
    shop.git("commit", "--quiet", "--amend", "--no-edit")
    assert _report(shop)["notes"] == [
        "`web` takes web/Dockerfile and 1 more, which git ignores: not compared"
    ]


def test_what_git_ignores_in_a_submodule_is_told(shop: Checkout, tmp_path: Path) -> None:
    library = _repository_at(tmp_path / "library", shop)
    library.commit({"lib.py": "1", ".gitignore": "*.so\n"})
    shop.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.top), "web/lib")
    shop.commit()
    assert _report(shop)["notes"] == []
    shop.write_all({"web/lib/fast.so": "1"})
    report = _report(shop)
    assert report["notes"] == ["`web` takes web/lib/fast.so, which git ignores: not compared"]
    assert report["build"] == []
    shop.write_all({"web/lib/lib.py": "2"})
    assert _report(shop)["build"] == ["web"]


def _repository_at(top: Path, like: Checkout) -> Checkout:
    found = type(like)(top=top, environ=like.environ)
    top.mkdir()
    found.git("init", "--quiet", "--initial-branch", "main")
    return found


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_is_told_not_to_look_at_are_compared(shop: Checkout, mark: str) -> None:
    shop.git("update-index", mark, "web/main.py", "web/tool")
    index = (shop.top / ".git" / "index").read_bytes()
    assert _report(shop)["build"] == []
    shop.write_all({"web/main.py": "2"})
    (shop.top / "web" / "tool").chmod(0o755)
    report = _report(shop)
    assert [(each["path"], each["kind"]) for each in report["changes"]] == [
        ("web/main.py", "modified"),
        ("web/tool", "modified"),
    ]
    assert report["build"] == ["web"]
    assert (shop.top / ".git" / "index").read_bytes() == index


def test_the_project_of_a_commit_is_not_read_where_git_was_told_not_to_look(shop: Checkout) -> None:
    base = shop.git("rev-parse", "HEAD")
    shop.commit({"other/kept": "2"})
    shop.git("update-index", "--assume-unchanged", "other/Dockerfile")
    shop.write_all({"other/Dockerfile": "FROM debian\n"})
    assert _report(shop, "--base", base, "--head", "HEAD")["build"] == ["other"]


def test_what_a_sparse_checkout_leaves_out_is_told(shop: Checkout) -> None:
    shop.git("sparse-checkout", "set", "--no-cone", "/*", "!/web/main.py")
    assert not (shop.top / "web" / "main.py").exists()
    report = _report(shop)
    assert report["build"] == []
    assert report["notes"] == [
        "`web` takes web/main.py, which a sparse checkout leaves out here: not compared"
    ]


def test_a_pointer_in_the_place_of_what_it_stands_for_is_told(shop: Checkout) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    shop.commit({"web/.gitattributes": "*.dat filter=lfs\n", "web/a.dat": pointer, "web/b.dat": "fetched\n"})
    assert _report(shop)["notes"] == [
        "`web` takes web/a.dat, of which only the pointer of Git LFS is here: not compared"
    ]


def test_executable_bits_count_also_where_git_is_told_that_there_are_none(shop: Checkout) -> None:
    shop.git("config", "core.fileMode", "false")
    (shop.top / "web" / "tool").chmod(0o755)
    report = _report(shop)
    assert [(each["path"], each["kind"]) for each in report["changes"]] == [("web/tool", "modified")]
    assert report["build"] == ["web"]
    # A file system on which everything is executable says nothing.
    (shop.top / ".git" / "config").chmod(0o755)
    assert _report(shop)["changes"] == []


def test_what_lies_outside_of_the_repository_is_told(shop: Checkout, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "lib.py").write_text("1", encoding="utf-8")
    above = os.path.relpath(tmp_path, shop.top)
    shop.commit(
        {
            "compose.yml": "services:\n"
            f"  named: {{build: {{context: web, additional_contexts: {{lib: '{above}/library'}}}}}}\n"
            f"  within: {{build: {{context: '{above}', dockerfile: work/within}}}}\n"
            f"  wide: {{build: {{context: '{above}', dockerfile: work/wide}}}}\n",
            "web/Dockerfile": "FROM debian\nCOPY --from=lib . /lib\n",
            "within": "FROM debian\nCOPY work/web /srv\n",
            "wide": "FROM debian\nCOPY l* /srv\n",
        }
    )
    assert _report(shop)["notes"] == [
        "`named` takes ../library, which lies outside of the repository: not compared",
        "`wide` takes .., which lies outside of the repository: not compared",
    ]


def test_an_image_that_takes_what_git_keeps_for_itself_changes_with_every_commit(shop: Checkout) -> None:
    shop.commit({"compose.yml": "services:\n  web: {build: .}\n", "Dockerfile": "FROM debian\nCOPY . /srv\n"})
    base = shop.commit({".dockerignore": "docs\n"})
    shop.commit({"docs/a.md": "1"})
    report = _report(shop, "--base", base)
    assert report["build"] == ["web"]
    assert report["services"][0]["build_reasons"][0]["path"] == ".git"
    base = shop.commit({".dockerignore": "docs\n.git\n"})
    shop.commit({"docs/a.md": "2"})
    assert _report(shop, "--base", base)["build"] == []
