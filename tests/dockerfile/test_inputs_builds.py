"""What an image is built from, against what the builder puts into it."""

from __future__ import annotations

import json
import os
import posixpath
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from tests.dockerfile.conftest import bench, trees

from hullmark._dockerfile import parse
from hullmark._dockerfile.inputs import build_inputs, files_below
from hullmark.model.inputs import Because

if TYPE_CHECKING:
    from tests.dockerfile.conftest import Bench

    from hullmark.model.inputs import BuildInputs

pytestmark = pytest.mark.docker

PARTS = ("*", "**", "a*", "[^a]*", "[a-b]*", "?*", "[[]*", "link", "l*", "..", "[c-a]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A context; every file has a name of its own, so that none takes the place of another in an image."""

    paths: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


@st.composite
def copied(draw: st.DrawFn) -> tuple[Tree, str]:
    """A tree with links in it, and a source that is likely to name something in it."""
    paths = tuple(
        path if path.endswith("/") else f"{path}{number}" for number, path in enumerate(draw(trees()))
    )
    places = sorted({"", *(str(above) for path in paths for above in PurePosixPath(path).parents)} - {"."})
    made = draw(
        st.lists(
            st.tuples(
                st.sampled_from(places),
                st.one_of(st.sampled_from(paths), st.sampled_from(places)),
                st.sampled_from(("/", "", "../", "link/")),
            ),
            max_size=3,
        )
    )
    links = {posixpath.join(where, "link"): f"{how}{to}" for where, to, how in made if how + to}
    start = draw(st.sampled_from((*paths, *links)))
    return Tree(paths=paths, links=tuple(links.items())), "/".join(
        _blurred(draw, start.strip("/").split("/"))
    )


def _blurred(draw: st.DrawFn, names: list[str]) -> list[str]:
    """The start of a path, with patterns for some of its names."""
    found = []
    for name in names[: draw(st.integers(1, len(names)))]:
        literal = "".join(f"\\{char}" if char in "*?[\\" else char for char in name)
        found.append(
            draw(
                st.one_of(
                    st.just(literal),
                    st.sampled_from((name, f"{name[0]}*", f"*{name[-1]}", f"[{name[0]}]*", f"{name[:-1]}?")),
                    st.sampled_from(PARTS),
                )
            )
        )
    return found


def _linked(made: Bench, tree: Tree) -> dict[str, str]:
    """The links that could be made, and where they lead."""
    found = {}
    for path, to in tree.links:
        where = made.context / path
        if where.parent.is_dir() and not os.path.lexists(where):
            where.symlink_to(to)
            found[path] = to
    return found


def _inputs(made: Bench, text: str, **args: str) -> BuildInputs:
    made.dockerfile.write_text(text, encoding="utf-8")
    return build_inputs(
        parse(text, "docker/Dockerfile", args=args).recipe(),
        made.top,
        context=made.context,
        dockerfile=made.dockerfile,
        because=Because(text="the Dockerfile"),
        args=args,
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@example(copy=(Tree(paths=("a/b/c0", "a/d1"), links=(("link", "a"),)), "link"), ignored="")
@example(copy=(Tree(paths=("a/b/c0", "a/d1"), links=(("link", "/a/b"),)), "l*/c0"), ignored="")
@example(copy=(Tree(paths=("a/b/c0", "b/d1"), links=(("a/link", "../b/d1"),)), "a/l*"), ignored="")
@example(
    copy=(Tree(paths=("a/b/c0", "b/d1"), links=(("a/link", "../b"), ("link", "a/link"))), "link"), ignored=""
)
@example(copy=(Tree(paths=("a/b/c0", "b/d1"), links=()), "*/*"), ignored="a\n!a/b/c0")
@example(copy=(Tree(paths=("a0", "a/b1", "[a]2"), links=()), "[[]a]2"), ignored="")
@example(copy=(Tree(paths=("*0", "ab1"), links=()), "\\*?"), ignored="")
@given(
    copy=copied(),
    ignored=st.lists(st.sampled_from(("a", "!a/b", "*b*", "!**/*0")), max_size=2).map("\n".join),
)
def test_whatever_the_builder_copies_is_an_input(copy: tuple[Tree, str], ignored: str) -> None:
    tree, source = copy
    with bench(tree.paths) as made:
        links = _linked(made, tree)
        (made.context / ".dockerignore").write_text(ignored, encoding="utf-8")
        text = _copying(source)
        built = made.build(text)
        event("refused" if built is None else "built")
        if built is None:
            return
        inputs = _inputs(made, text)
        contents = {content.decode() for content in built.values()} - {""}
        files = {path for path in tree.paths if not path.endswith("/")}
        event(f"{min(len(files & contents), 3)} files, {min(len(links), 1)} links")
        selected = {path for _, path, where in files_below(inputs, made.top) if not Path(where).is_dir()}
        matched = {path for path in files if inputs.match(PurePosixPath("context", path))}
        assert files & contents <= selected
        assert selected & files == matched
        # Where two links lead to the same, which of them was copied cannot be told.
        leading = Counter(links.values())
        assert {path for path, to in links.items() if f"-> {to}" in contents and leading[to] == 1} <= _all(
            inputs, made
        )
        # The builder asks for its sources by the rules of ignore files, to which these signs mean something else, and
        # is then given none of them; backslashes it leaves where they are in front of the first pattern.
        if not links and not source.startswith("!") and not {"^", "\\"} & {*source.replace("[^", "")}:
            assert files & contents == matched


def _copying(source: str) -> str:
    """A Dockerfile that copies `source`, as the builder has it after it has read quotes and backslashes."""
    words = [source.replace("\\", "\\\\"), "/all/"]
    return f"FROM scratch\nCOPY {json.dumps(words, ensure_ascii=False)}\n"


def _all(inputs: BuildInputs, made: Bench) -> set[str]:
    return {path for _, path, _ in files_below(inputs, made.top)}
