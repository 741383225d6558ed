"""What an ignore file keeps from the builder, case by case."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import pytest

from hullmark._dockerfile.ignorefile import find, parse, places

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "path", "excluded"),
    [
        ("", "a", False),
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a", "ab", False),
        ("a", "b/a", False),
        ("A", "a", False),
        ("/a", "a", True),
        ("./a/", "a", True),
        ("//a", "a", True),
        ("b/../a", "a", True),
        ("../a", "a", False),
        (".", "a", False),
        ("/", "a", False),
        ("  a  ", "a", True),
        ("a\r\nb\r\n", "a", True),
        ("\ufeffa", "a", True),
        ("#a", "#a", False),
        (" #a", "#a", True),
        ("\\#a", "#a", True),
        ("with space", "with space", True),
        ("*", "a", True),
        ("*", "a/b", True),
        ("*/b", "a/b", True),
        ("*/b", "b", False),
        ("a*", "a", True),
        ("a?", "a", False),
        ("a?", "ab", True),
        ("a?b", "a/b", False),
        ("**", "a/b", True),
        ("**/b", "b", True),
        ("**/b", "a/b/c", True),
        ("**/b", "ab", False),
        ("a/**", "a", False),
        ("a/**", "a/b", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "ab", False),
        ("**b", "ab", True),
        ("**.md", "a/x.md", True),
        ("a**", "ab", True),
        ("a**b", "ab", True),
        ("a**b", "axb", False),
        ("a**b", "ax/b", True),
        ("**/a*", "x/ab", True),
        ("a.b", "axb", False),
        ("a+(b)|{c}$", "a+(b)|{c}$", True),
        ("^a", "^a", True),
        ("^a*", "ab", True),
        ("[ab]", "b", True),
        ("[^ab]", "b", False),
        ("[a-c]x", "bx", True),
        ("[!a]", "b", False),
        ("[!a]", "!", True),
        ("[[]x", "[x", True),
        ("[&~|-]x", "&x", None),
        ("[&&~~||]x", "~x", True),
        ("a]*", "a]b", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("\\d*", "1", True),
        ("[.]*", ".a", True),
        ("[a?]", "[]", True),
        ("é*", "éa", True),
    ],
)
def test_a_line_is_about_a_path_as_it_is_to_the_builder(
    text: str, path: str, *, excluded: bool | None
) -> None:
    if excluded is None:
        with pytest.raises(ValueError, match="bracket"):
            parse(text)
    else:
        assert parse(text).excludes(path) is excluded
        assert bool(parse(text).within(posixpath.dirname(path))(path)) is excluded
        # What another line is about does not change it.
        assert bool(parse(f"{text}\n0/other").within(posixpath.dirname(path))(path)) is excluded


@pytest.mark.parametrize(
    ("text", "path", "excluded"),
    [
        ("*\n!a", "a", False),
        ("*\n!a", "a/b", False),
        ("*\n!a", "b", True),
        ("!a\n*", "a", True),
        ("*\n!a/b", "a", True),
        ("*\n!a/b", "a/b", False),
        ("*\n!a/b", "a/c", True),
        ("*\n!a\na/b", "a/b/c", True),
        ("*.md\n!R*.md\nREADS*.md", "README.md", False),
        ("*.md\n!R*.md\nREADS*.md", "READS.md", True),
        ("a\n! a", "a", False),
        ("*\n!/a", "a", False),
        ("*\n./!a", "a", False),
        ("!!a", "!a", False),
        ("\\!a", "!a", True),
        # A line is about what is below a directory only where it was held against that directory.
        ("a/b\n!a", "a/b", True),
        ("d\n!d/x\nd*", "d/x", False),
        ("d\n!d/x\nd*", "d/y", True),
    ],
)
def test_the_last_line_that_is_about_a_path_counts(text: str, path: str, *, excluded: bool) -> None:
    assert parse(text).excludes(path) is excluded
    assert bool(parse(text).within(posixpath.dirname(path))(path)) is excluded


@pytest.mark.parametrize(
    "text", ["!", "!/", "! ", "[a", "a\\", "[]a]", "[a-]", "[z-a]", "[^]", "\\q*", "[[:alpha:]]", "x" * 65536]
)
def test_what_the_builder_refuses_or_nobody_writes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(f"a\n{text}\n")


@pytest.mark.parametrize(
    ("text", "directory", "may"),
    [
        ("*", "a", False),
        ("*\n!a/b", "a", True),
        ("*\n!a/b", "b", False),
        ("*\n!a/b", "a/b", False),
        ("*\n!a/b/c", "a/b", True),
        ("*\n!**/c", "a/b", True),
        ("*\n!a/*.md", "a", True),
        ("*\n!a/*.md", "b", False),
        ("*\n!\\a/b", "a", True),
    ],
)
def test_a_directory_is_entered_only_where_something_below_it_may_be_taken_back(
    text: str, directory: str, *, may: bool
) -> None:
    assert parse(text).may_reinclude_below(directory) is may


def test_the_ignore_file_called_after_the_dockerfile_counts_even_when_it_is_empty(tmp_path: Path) -> None:
    context, dockerfile = tmp_path / "context", tmp_path / "docker" / "web.Dockerfile"
    context.mkdir()
    dockerfile.parent.mkdir()
    own, common = places(context, dockerfile)
    assert own == tmp_path / "docker" / "web.Dockerfile.dockerignore"
    assert not find(context, dockerfile).excludes("a")
    common.write_text("a\n", encoding="utf-8")
    assert find(context, dockerfile).excludes("a")
    assert find(context, None).excludes("a")
    own.write_text("", encoding="utf-8")
    assert not find(context, dockerfile).excludes("a")
    own.write_text("b\n", encoding="utf-8")
    assert find(context, dockerfile).excludes("b")
    assert not find(context, dockerfile).excludes("a")
    assert find(context, None).excludes("a")
