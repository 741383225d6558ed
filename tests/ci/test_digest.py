"""One digest for all that an image is built from: the same wherever that is the same, another where it is not."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci.digest import Digests, digest_of
from hullmark._ci.inputs import inputs_of
from hullmark._ci.objects import objects_of
from hullmark._ci.records import MOST, Records
from hullmark._ci.repository import find_repository
from hullmark._cli import main
from hullmark._compose import resolve
from hullmark.model.affected import InputDigest
from hullmark.model.project import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.project import Project

Checkout = Any
"""Of the conftest, which is no module to import from."""
FILES = {
    "compose.yml": "name: p\nservices:\n"
    "  a: {image: p-a, build: {context: ., args: {ONE: '1', TWO: '2'}}}\n"
    "  b: {build: {context: ., dockerfile: b.Dockerfile}}\n",
    "Dockerfile": "FROM debian:12\nARG ONE\nCOPY app /app\n",
    "b.Dockerfile": "FROM p-a\nCOPY other /o\n",
    "app/main.py": "main\n",
    "app/run.sh": "run\n",
    "other": "other\n",
    "unrelated": "x\n",
}


@pytest.fixture
def project(repository: Checkout) -> Checkout:
    """A project that is committed."""
    repository.commit(FILES)
    return repository


def _resolved(checkout: Checkout) -> Project:
    return resolve(checkout.top, Settings(), checkout.commands)


def _digests(checkout: Checkout, *, with_git: bool = True, **environ: str) -> tuple[InputDigest, InputDigest]:
    found = _resolved(checkout)
    digests = Digests.of_project(
        found,
        inputs_of(found).get,
        objects_of(find_repository(checkout.top, checkout.commands) if with_git else None),
        environ,
    )
    return digests.of("a"), digests.of("b")


def test_a_digest_is_the_same_with_and_without_git_in_every_checkout_and_at_every_time(
    project: Checkout, tmp_path: Path
) -> None:
    first = _digests(project)
    assert first == _digests(project, with_git=False)
    assert str(first[0].digest).startswith("sha256:")
    other = replace(project, top=tmp_path / "other" / "place")
    project.git("clone", "--quiet", str(project.top), str(other.top))
    for directory, _, names in os.walk(other.top):
        for name in names:
            os.utime(os.path.join(directory, name), (1, 1))  # noqa: PTH118
    assert _digests(other) == first
    plain = replace(project, top=tmp_path / "plain")
    shutil.copytree(project.top, plain.top, ignore=shutil.ignore_patterns(".git"))
    assert _digests(plain, with_git=False) == first


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ({"app/main.py": "other"}, "ab"),
        ({"app/new": "new"}, "ab"),
        ({"Dockerfile": FILES["Dockerfile"] + "USER 1\n"}, "ab"),
        ({"other": "x"}, "b"),
        ({"unrelated": "y"}, ""),
        ({"README.md": "y"}, ""),
        ({".dockerignore": "app/run.sh\n"}, "ab"),
        ({".dockerignore": "unrelated\n"}, ""),
        ({"compose.yml": FILES["compose.yml"].replace("'1'", "'3'")}, "ab"),
        ({"compose.yml": FILES["compose.yml"].replace("'2'", "'3'")}, ""),  # nobody declares that one
        ({"compose.yml": FILES["compose.yml"].replace("context: .,", "context: ., shm_size: 1g,", 1)}, "ab"),
        ({"compose.yml": FILES["compose.yml"].replace("p-a,", "p-a, platform: linux/s390x,")}, "ab"),
        ({"compose.yml": FILES["compose.yml"].replace("p-a,", "p-a, environment: {A: '1'},")}, ""),
    ],
)
def test_a_digest_changes_with_every_input_and_with_nothing_else(
    project: Checkout, files: dict[str, str], changed: str
) -> None:
    before = _digests(project)
    project.write_all(files)
    after = _digests(project)
    assert "".join(x.service for x, y in zip(before, after, strict=True) if x.digest != y.digest) == changed
    # What is read by git and what is read without it are the same.
    assert after == _digests(project, with_git=False)
    project.commit()
    assert _digests(project) == after


def test_modes_links_and_empty_directories_are_inputs(project: Checkout) -> None:
    seen = {_digests(project)[0].digest}
    (project.top / "app/run.sh").chmod(0o755)
    seen.add(_digests(project)[0].digest)
    (project.top / "app/run.sh").chmod(0o600)
    seen.add(_digests(project)[0].digest)
    (project.top / "app/link").symlink_to("main.py")
    seen.add(_digests(project)[0].digest)
    (project.top / "app/empty").mkdir()
    seen.add(_digests(project)[0].digest)
    (project.top / "app/main.py").unlink()
    seen.add(_digests(project)[0].digest)
    assert len(seen) == 6


def test_the_platform_is_an_input_also_where_only_the_environment_names_it(project: Checkout) -> None:
    assert _digests(project)[0].digest != _digests(project, DOCKER_DEFAULT_PLATFORM="linux/s390x")[0].digest


def test_what_git_is_told_not_to_look_at_is_read(project: Checkout) -> None:
    before = _digests(project)[0].digest
    project.git("update-index", "--assume-unchanged", "app/main.py")
    project.write_all({"app/main.py": "changed"})
    assert _digests(project)[0].digest != before
    assert _digests(project) == _digests(project, with_git=False)


@pytest.mark.parametrize("how", ["attributes", "configuration"])
def test_where_git_converts_files_what_is_there_counts(project: Checkout, how: str) -> None:
    if how == "attributes":
        project.commit({".gitattributes": "* text=auto\n"})
    else:
        project.git("config", "core.autocrlf", "input")
    (project.top / "app/main.py").write_bytes(b"main\r\n")
    project.git("add", "app/main.py")
    assert project.git("status", "--porcelain", "app") == ""
    assert _digests(project) == _digests(project, with_git=False)


def test_a_dockerfile_in_the_compose_file_and_named_contexts_are_inputs(repository: Checkout) -> None:
    def compose(inline: str, contexts: str) -> dict[str, str]:
        build = f"{{context: ., dockerfile_inline: '{inline}', additional_contexts: {contexts}}}"
        return {"compose.yml": f"services: {{a: {{build: {build}}}, b: {{build: .}}}}"}

    copy = "FROM one\nCOPY --from=lib x /"
    images = "{lib: ./lib, one: docker-image://x, two: docker-image://y}"
    repository.commit({**FILES, "lib/x": "1", **compose(copy.replace("\n", "\n\n"), images)})
    seen = {_digests(repository)[0].digest}
    repository.write_all({"lib/x": "2"})
    seen.add(_digests(repository)[0].digest)
    repository.write_all(compose(copy.replace("\n", "\n\n") + "y", images))
    seen.add(_digests(repository)[0].digest)
    swapped = "{lib: ./lib, one: docker-image://y, two: docker-image://x}"
    repository.write_all(compose(copy.replace("\n", "\n\n") + "y", swapped))
    seen.add(_digests(repository)[0].digest)
    assert len(seen) == 4
    assert None not in seen


def test_what_is_only_known_when_it_is_fetched_has_no_digest(repository: Checkout) -> None:
    checksum = "--checksum=sha256:" + "0" * 64
    repository.commit(
        {
            **FILES,
            "Dockerfile": "FROM scratch\nADD https://example.org/file /f\n",
            "b.Dockerfile": f"FROM scratch\nADD {checksum} https://example.org/file /f\n",
        }
    )
    first, second = _digests(repository)
    assert first.digest is None
    assert first.unknown == "ADD at Dockerfile:2 takes `https://example.org/file`"
    assert second.digest is not None
    repository.write_all({"b.Dockerfile": FILES["b.Dockerfile"]})
    assert "of `a`, which it is built upon" in str(_digests(repository)[1].unknown)


def test_an_address_with_a_variable_that_nobody_knows_leaves_no_digest(project: Checkout) -> None:
    project.write_all({"Dockerfile": "FROM debian:12\nADD https://$HOST/file /f\n"})
    assert (
        _digests(project)[0].unknown
        == "ADD at Dockerfile:2 takes what may be an address, `https://$HOST/file`"
    )


def test_an_ignore_file_that_cannot_be_followed_leaves_no_digest_and_is_told(
    project: Checkout, tmp_path: Path
) -> None:
    project.write_all({".dockerignore": "unrelated\n[bad\n"})
    first = _digests(project)[0]
    assert first.digest is None
    assert str(first.unknown).startswith(".dockerignore:2: `[bad` cannot be followed: ")
    text, _ = _explained(project, tmp_path)
    assert "`a`: .dockerignore:2: `[bad` cannot be followed: " in text


def test_two_lists_of_inputs_have_one_digest_only_where_they_are_one() -> None:
    lists = ((), (("a", ""),), (("", "a"),), (("a", "b"),), (("ab", ""),), (("a", ""), ("b", "")))
    assert len({digest_of(entries) for entries in lists}) == len(lists)


def test_no_value_of_an_argument_is_kept(project: Checkout) -> None:
    project.write_all({"compose.yml": FILES["compose.yml"].replace("'1'", "'hunter2'")})
    assert "hunter2" not in repr(_digests(project)[0])


def _record(number: int) -> InputDigest:
    entries = (("file a", f"100644 {number}"),)
    return InputDigest(service="a", digest=digest_of(entries), entries=entries)


def test_what_was_built_last_is_kept_and_the_oldest_records_go(
    project: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hullmark._ci.records.MOST", 3)
    assert MOST > 3
    records, resolved = Records(directory=tmp_path / "kept"), _resolved(project)
    assert records.latest(resolved, "a") is None
    for number in range(10):
        records.keep(resolved, _record(number))
        for path in (tmp_path / "kept").iterdir():
            stat = path.stat()
            os.utime(path, (stat.st_atime - 10, stat.st_mtime - 10))
    latest = records.latest(resolved, "a")
    assert latest is not None
    assert latest.entries == {"file a": "100644 9"}
    assert records.latest(resolved, "b") is None
    assert len(list((tmp_path / "kept").iterdir())) <= 6
    assert records.get(str(_record(0).digest)).entries is None
    assert records.clear() > 0
    assert not list((tmp_path / "kept").iterdir())


def test_a_record_that_is_damaged_is_as_if_it_were_not_there(project: Checkout, tmp_path: Path) -> None:
    records, resolved = Records(directory=tmp_path / "kept"), _resolved(project)
    records.keep(resolved, _record(1))
    for path in (tmp_path / "kept").glob("*.record"):
        path.write_bytes(b"damaged")
    latest = records.latest(resolved, "a")
    assert latest is not None
    assert latest.entries is None


def test_where_nothing_is_to_be_kept_nothing_is(project: Checkout, tmp_path: Path) -> None:
    environ = {"HULLMARK_CACHE_DIR": str(tmp_path / "kept"), "HULLMARK_NO_CACHE": "1"}
    Records.at(environ).keep(_resolved(project), _record(1))
    assert not (tmp_path / "kept").exists()
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    Records(directory=file / "kept").keep(_resolved(project), _record(1))  # no disk is no reason to fail


def _explained(checkout: Checkout, tmp_path: Path, *arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    environ = {**checkout.environ, "HULLMARK_CACHE_DIR": str(tmp_path / "cache")}
    argv = ("-C", str(checkout.top), "affected", "--explain", *arguments)
    code = main(argv, stdout=out, stderr=err, environ=environ)
    assert code == 0 or arguments, err.getvalue()
    return out.getvalue(), err.getvalue()


def test_what_differs_from_an_earlier_report_is_explained(project: Checkout, tmp_path: Path) -> None:
    report, _ = _explained(project, tmp_path, "--format", "json")
    earlier = tmp_path / "earlier.json"
    earlier.write_text(report, encoding="utf-8")
    same, _ = _explained(project, tmp_path, "--against", str(earlier))
    assert same.count("as recorded") == 2
    project.write_all(
        {"app/main.py": "x", "app/new": "x", "compose.yml": FILES["compose.yml"].replace("'1'", "'3'")}
    )
    (project.top / "app/run.sh").unlink()
    text, _ = _explained(project, tmp_path, "--against", str(earlier))
    assert "  argument ONE: sha256:" in text
    assert "  file app/main.py: 100644 " in text
    assert "  file app/new: new\n" in text
    assert "  file app/run.sh: gone\n" in text
    assert "  service a: sha256:" in text
    later = json.loads(_explained(project, tmp_path, "--against", str(earlier), "--format", "json")[0])
    names = {each["name"] for each in later["services"][0]["inputs"]["differs"]}
    assert names == {"argument ONE", "file app/main.py", "file app/new", "file app/run.sh"}
    assert "nothing is recorded" in _explained(project, tmp_path)[0]


def test_what_is_no_report_is_an_error(project: Checkout, tmp_path: Path) -> None:
    for text, expected in (
        ("{", "no report of"),
        ('{"schema": "other/1", "services": []}', "expected `hullmark/affected/1`"),
        ('{"schema": "hullmark/affected/1", "services": []}', "it holds no inputs"),
    ):
        file = tmp_path / "report.json"
        file.write_text(text, encoding="utf-8")
        assert expected in _explained(project, tmp_path, "--against", str(file))[1]


def test_clearing_the_cache_forgets_what_was_built(project: Checkout, tmp_path: Path) -> None:
    environ = {**project.environ, "HULLMARK_CACHE_DIR": str(tmp_path / "cache")}
    Records.at(environ).keep(_resolved(project), _record(1))
    assert Records.at(environ).latest(_resolved(project), "a") is not None
    assert main(("cache", "clear"), stdout=io.StringIO(), stderr=io.StringIO(), environ=environ) == 0
    assert Records.at(environ).latest(_resolved(project), "a") is None
