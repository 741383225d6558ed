"""What an ignore file keeps from the builder, against the builder itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.dockerfile.conftest import NAMES, bench, trees

from hullmark._dockerfile.ignorefile import find, parse

if TYPE_CHECKING:
    from hullmark._dockerfile.ignorefile import IgnoreFile

pytestmark = pytest.mark.docker

PARTS = (
    *NAMES,
    *(
        "*",
        "**",
        "?",
        "a*",
        "*b",
        "**b",
        "a**",
        "[ab]",
        "[^a]",
        "\\*",
        "\\!a",
        "*.md",
        "[[]a]",
        "..",
        ".",
        "^a*",
    ),
    *("a?b", "[a-b]*", "**.md", "a**b", ""),
)
lines = st.builds(
    lambda mark, parts: mark + "/".join(parts),
    st.sampled_from(("", "", "!", "! ", "/", "!/", " ", "./")),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3),
)
ALL = ("a/a/a", "a/b/a", "a/b/x.md", "a/x.md", "ab/a.b/a", "b/", "x.md", "A/a", "[a]/^a")


def _seen(context: str, ignored: IgnoreFile) -> frozenset[str]:
    """What the builder is given: what is not excluded, and the directories that it is in."""
    found: set[str] = set()
    for directory, directories, files in os.walk(context):
        for name in (*directories, *files):
            path = os.path.relpath(os.path.join(directory, name), context)  # noqa: PTH118
            if not ignored.excludes(path):
                found.add(path)
                while path := os.path.dirname(path):  # noqa: PTH120
                    found.add(path)
    return frozenset(found)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(tree=ALL, text="a/b\n!a")
@example(tree=ALL, text="a\n!a/b\na*")
@example(tree=ALL, text="*\n!**/x.md")
@example(tree=ALL, text="**b\n!**.b")
@example(tree=ALL, text="^a*\n./!a\n*/^*")
@example(tree=ALL, text="[!a]*\n[^a]/\\*")
@given(tree=trees(), text=st.lists(lines, min_size=1, max_size=6).map("\n".join))
def test_the_builder_sees_what_the_ignore_file_leaves(tree: tuple[str, ...], text: str) -> None:
    with bench(tree) as made:
        made.dockerfile.with_name("Dockerfile.dockerignore").write_text(f"{text}\n", encoding="utf-8")
        built = made.build("FROM scratch\nCOPY . /\n")
        try:
            ignored = parse(text)
        except ValueError:
            assert built is None
        else:
            assert built is not None
            assert built.keys() == _seen(str(made.context), ignored)


@pytest.mark.parametrize(
    ("own", "common"), [(None, None), (None, "a\n"), ("", "a\n"), ("b\n", "a\n"), ("#\n", "*\n")]
)
def test_the_builder_takes_the_same_one_of_two_ignore_files(own: str | None, common: str | None) -> None:
    with bench(("a", "b")) as made:
        if own is not None:
            made.dockerfile.with_name("Dockerfile.dockerignore").write_text(own, encoding="utf-8")
        if common is not None:
            (made.context / ".dockerignore").write_text(common, encoding="utf-8")
        built = made.build("FROM scratch\nCOPY . /\n")
        assert built is not None
        assert built.keys() == _seen(str(made.context), find(made.context, made.dockerfile))
