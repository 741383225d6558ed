"""What git says has changed, in every state that a repository can be in."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci.changes import changes
from hullmark._ci.repository import find_repository
from hullmark.errors import CommandFailed, Unavailable, UsageError
from hullmark.model.affected import Change, ChangeKind

if TYPE_CHECKING:
    from hullmark.model.affected import Changes

Checkout = Any
"""Of the conftest, which is no module to import from."""


def _changes(repository: Checkout, base: str, head: str | None = None) -> Changes:
    return changes(find_repository(repository.top, repository.commands), base, head)


def _told(repository: Checkout, base: str, head: str | None = None) -> list[tuple[str, str]]:
    found = _changes(repository, base, head)
    assert found.everything is None
    return [(str(change), str(change.kind)) for change in found.changes]


def _clone(repository: Checkout, to: Path, *options: str) -> Checkout:
    repository.git("clone", "--quiet", *options, f"file://{repository.top}", str(to))
    return replace(repository, top=to)


def test_between_two_commits_every_kind_of_change_is_told(repository: Checkout) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    base = repository.commit({"a": "1", "gone": "2", "script": "3", "old": text, "becomes-link": "4"})
    (repository.top / "gone").unlink()
    (repository.top / "script").chmod(0o755)
    (repository.top / "old").rename(repository.top / "new")
    (repository.top / "becomes-link").unlink()
    (repository.top / "becomes-link").symlink_to("a")
    repository.commit({"a": "11", "added": "5"})
    assert _told(repository, base, "HEAD") == [
        ("a", "modified"),
        ("added", "added"),
        ("becomes-link", "type"),
        ("gone", "deleted"),
        ("old -> new", "renamed"),
        ("script", "mode"),
    ]


def test_the_work_tree_counts_with_all_that_is_not_committed(repository: Checkout) -> None:
    base = repository.commit(
        {"staged": "1", "edited": "1", "gone": "1", "same": "1", ".gitignore": "*.log\n"}
    )
    repository.write(staged="2", edited="2", new="3", deep__er="4")
    repository.write_all({"x.log": "ignored"})
    (repository.top / "gone").unlink()
    repository.git("add", "staged")
    os.utime(repository.top / "same")  # what was only touched has not changed
    assert _told(repository, base) == [
        ("deep/er", "untracked"),
        ("edited", "modified"),
        ("gone", "deleted"),
        ("new", "untracked"),
        ("staged", "modified"),
    ]


def test_asking_leaves_the_index_as_it_is(repository: Checkout) -> None:
    repository.commit({"a": "1"})
    os.utime(repository.top / "a", (1, 1))
    repository.write(new="2")
    before = repository.git("ls-files", "--stage")
    assert _told(repository, "HEAD") == [("new", "untracked")]
    assert repository.git("ls-files", "--stage") == before
    assert not (repository.top / ".git" / "index.lock").exists()


def test_names_come_back_as_they_are(repository: Checkout) -> None:
    base = repository.commit({"a": "1"})
    names = [
        b"with space",
        b'quote"',
        "ümlaut".encode(),
        b"line\nend",
        b"tab\t",
        b"return\r\n",
        b"not utf-8 \xff",
        b"*",
    ]
    for name in names:
        Path(os.fsdecode(os.fsencode(repository.top) + b"/" + name)).write_text("1", encoding="utf-8")
    found = _changes(repository, base).changes
    assert sorted(os.fsencode(change.path) for change in found) == sorted(names)
    repository.commit()
    found = _changes(repository, base, "HEAD").changes
    assert sorted(os.fsencode(change.path) for change in found) == sorted(names)


def test_what_only_the_other_branch_did_is_no_change(repository: Checkout) -> None:
    fork = repository.commit({"a": "1"})
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.commit({"mine": "1"})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"theirs": "1"})
    repository.git("checkout", "--quiet", "feature")
    assert _told(repository, "main", "feature") == [("mine", "added")]
    assert _changes(repository, "main").base == fork


@pytest.mark.parametrize("base", ["", " ", "0" * 40, "0" * 64])
def test_without_a_base_everything_has_changed(repository: Checkout, base: str) -> None:
    repository.commit({"a": "1"})
    found = _changes(repository, base, "HEAD")
    assert found.everything == "no commit to compare with was given"
    assert found.base is None
    assert _changes(repository, base).everything


def test_a_commit_that_is_gone_means_that_everything_has_changed(repository: Checkout) -> None:
    repository.commit({"a": "1"})
    assert (
        _changes(repository, "1234567890abcdef1234567890abcdef12345678").everything
        == "the commit 1234567890ab is gone, as after a force push"
    )


def test_without_a_common_history_everything_has_changed(repository: Checkout) -> None:
    repository.commit({"a": "1"})
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit({"a": "2"})
    found = _changes(repository, "main")
    assert found.everything == "`main` and what is compared with it have no history in common"


def test_before_the_first_commit_everything_has_changed(repository: Checkout) -> None:
    repository.write(a="1")
    assert _changes(repository, "HEAD").everything == "the repository has no commit yet"


def test_a_revision_that_nobody_knows_is_an_error_with_the_nearest_name(repository: Checkout) -> None:
    repository.commit({"a": "1"})
    with pytest.raises(UsageError, match="git knows no revision `mian`") as raised:
        _changes(repository, "mian")
    assert raised.value.hint == "did you mean `main`?"
    with pytest.raises(UsageError, match="git knows no revision `nowhere`"):
        _changes(repository, "main", "nowhere")


def test_a_branch_that_only_a_remote_has_is_near_by_its_own_name(repository: Checkout) -> None:
    repository.git("update-ref", "refs/remotes/origin/main", repository.commit({"a": "1"}))
    repository.git("branch", "--move", "topic")
    with pytest.raises(UsageError, match="git knows no revision `maim`") as raised:
        _changes(repository, "maim")
    assert raised.value.hint == "did you mean `origin/main`?"


def test_where_no_name_is_near_those_that_git_knows_are_listed(repository: Checkout) -> None:
    with pytest.raises(UsageError) as raised:
        _changes(repository, "", "nosuch")
    assert raised.value.hint == "the repository has no branch and no tag yet"
    repository.commit({"a": "1"})
    repository.git("tag", "v1")
    with pytest.raises(UsageError) as raised:
        _changes(repository, "main", "nosuch")
    assert raised.value.hint == "it knows `main`, `v1`"
    for number in range(8):
        repository.git("branch", f"topic-{number}")
    with pytest.raises(UsageError) as raised:
        _changes(repository, "nosuch")
    assert str(raised.value.hint).endswith("`, and 4 more")


def test_a_revision_is_never_taken_for_an_option(repository: Checkout) -> None:
    repository.commit({"a": "1"})
    with pytest.raises(UsageError, match="git knows no revision `--all`"):
        _changes(repository, "--all")


def test_outside_of_a_repository_there_is_one_clear_error(repository: Checkout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies in no git repository"):
        find_repository(tmp_path, repository.commands)
    with pytest.raises(UsageError, match="lies in no git repository"):
        find_repository(repository.top / ".git", repository.commands)


def test_a_repository_that_git_cannot_read_is_told_with_what_git_says(repository: Checkout) -> None:
    repository.write_all({".git/config": "[core\n"})
    with pytest.raises(CommandFailed, match="bad config"):
        find_repository(repository.top, repository.commands)


def test_the_user_s_configuration_changes_nothing(repository: Checkout) -> None:
    base = repository.commit({"sub/a": "1", "b": "1"})
    repository.write_all({"sub/a": "2", "b": "2", "order": "*\n"})
    for name, value in {
        "diff.external": "false",
        "diff.relative": "true",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "copies",
        "color.ui": "always",
        "core.pager": "false",
        "core.quotePath": "true",
        "diff.orderFile": "order",
    }.items():
        repository.git("config", name, value)
    inside = find_repository(repository.top / "sub", repository.commands)
    found = changes(inside, base)
    assert [change.path for change in found.changes] == ["b", "order", "sub/a"]


def test_a_submodule_is_one_change_for_all_below_it(repository: Checkout, tmp_path: Path) -> None:
    library = replace(repository, top=tmp_path / "library")
    library.top.mkdir()
    library.git("init", "--quiet")
    library.commit({"code": "1"})
    repository.git("submodule", "--quiet", "add", str(library.top), "vendor/library")
    base = repository.commit()
    inner = replace(repository, top=repository.top / "vendor" / "library")
    assert _changes(repository, base).changes == ()
    inner.write(code="2")
    expected = (Change(path="vendor/library", kind=ChangeKind.MODIFIED, tree=True),)
    assert _changes(repository, base).changes == expected
    repository.git("config", "submodule.vendor/library.ignore", "all")
    assert _changes(repository, base).changes == expected
    inner.commit()
    assert _changes(repository, base).changes == expected
    repository.commit()
    assert _changes(repository, base, "HEAD").changes == expected


def test_a_repository_within_that_is_no_submodule_is_one_change(repository: Checkout) -> None:
    base = repository.commit({"a": "1"})
    inner = replace(repository, top=repository.top / "inner")
    inner.top.mkdir()
    inner.git("init", "--quiet")
    inner.commit({"code": "1"})
    assert _changes(repository, base).changes == (Change(path="inner", kind=ChangeKind.UNTRACKED, tree=True),)


def test_a_history_that_was_cut_off_is_lengthened_as_far_as_needed(
    repository: Checkout, tmp_path: Path
) -> None:
    first = repository.commit({"a": "1"})
    for number in range(3):
        repository.commit({"a": str(number + 2)})
    shallow = _clone(repository, tmp_path / "clone", "--depth=1")
    assert (shallow.top / ".git" / "shallow").exists()
    assert _told(shallow, first) == [("a", "modified")]


def test_a_branch_that_a_clone_with_one_commit_has_not_got_is_fetched(
    repository: Checkout, tmp_path: Path
) -> None:
    repository.commit({"a": "1"})
    repository.git("checkout", "--quiet", "-b", "feature")
    for number in range(3):
        repository.commit({"mine": str(number)})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"theirs": "1"})
    for name in ("origin/main", "main"):
        to = tmp_path / name.replace("/", "-")
        shallow = _clone(repository, to, "--depth=1", "--single-branch", "--branch=feature")
        assert _told(shallow, name) == [("mine", "added")]


def test_where_the_rest_of_the_history_cannot_be_had_the_error_says_how(
    repository: Checkout, tmp_path: Path
) -> None:
    first = repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    shallow = _clone(repository, tmp_path / "clone", "--depth=1")
    shutil.rmtree(repository.top)
    with pytest.raises(Unavailable, match="cut off") as raised:
        _changes(shallow, first)
    assert "fetch-depth: 0" in str(raised.value.hint)
    assert "does not appear to be a git repository" in raised.value.message
    shallow.git("remote", "remove", "origin")
    for base in (first, "HEAD~1"):
        with pytest.raises(Unavailable, match="no remote to fetch it from") as raised:
            _changes(shallow, base)
        assert "fetch-depth: 0" in str(raised.value.hint)
        assert "unshallow" not in str(raised.value.hint)


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("HEAD~1", [("a", "modified")]),
        ("HEAD^", [("a", "modified")]),
        ("origin/main~1", [("a", "modified")]),
        ("main~2", [("a", "modified"), ("b", "added")]),
        ("origin/other~1", [("a", "modified"), ("b", "added")]),
    ],
)
def test_steps_back_from_a_revision_lead_into_a_history_that_was_cut_off(
    repository: Checkout, tmp_path: Path, base: str, told: list[tuple[str, str]]
) -> None:
    repository.commit({"a": "1"})
    repository.git("branch", "other")
    repository.commit({"a": "1", "b": "2"})
    repository.commit({"a": "3"})
    repository.git("checkout", "--quiet", "other")
    repository.commit({"c": "1"})
    repository.git("checkout", "--quiet", "main")
    shallow = _clone(repository, tmp_path / "clone", "--depth=1", "--single-branch", "--branch=main")
    assert _told(shallow, base) == told


@pytest.mark.parametrize("options", [("--depth=1",), ()], ids=["cut", "whole"])
def test_steps_back_beyond_the_first_commit_are_told_with_how_many_there_are(
    repository: Checkout, tmp_path: Path, options: tuple[str, ...]
) -> None:
    repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    clone = _clone(repository, tmp_path / "clone", *options)
    with pytest.raises(UsageError, match=r"`main~5` asks for: it has 2 commits") as raised:
        _changes(clone, "main~5")
    assert raised.value.hint == "the first of them is `main~1`"
    with pytest.raises(UsageError, match=r"nothing that is reached from it as `main\^2`"):
        _changes(clone, "main^2")


def test_a_commit_that_the_remote_of_a_cut_history_has_not_got_either_is_gone(
    repository: Checkout, tmp_path: Path
) -> None:
    repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    shallow = _clone(repository, tmp_path / "clone", "--depth=1")
    assert "is gone" in str(_changes(shallow, "1234567890abcdef1234567890abcdef12345678").everything)
    with pytest.raises(UsageError, match="in this part of the history"):
        _changes(shallow, "no-such-branch")


def test_unrelated_branches_in_a_cut_history_are_found_out(repository: Checkout, tmp_path: Path) -> None:
    repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit({"a": "3"})
    repository.commit({"a": "4"})
    shallow = _clone(repository, tmp_path / "clone", "--depth=1", "--single-branch", "--branch=other")
    assert "no history in common" in str(_changes(shallow, "main").everything)


def test_objects_of_the_long_kind_will_do(repository: Checkout, tmp_path: Path) -> None:
    other = replace(repository, top=tmp_path / "long")
    other.top.mkdir()
    other.git("init", "--quiet", "--object-format=sha256")
    base = other.commit({"a": "1"})
    other.write(a="2")
    assert _told(other, base) == [("a", "modified")]
    assert find_repository(other.top, other.commands).object_format == "sha256"
