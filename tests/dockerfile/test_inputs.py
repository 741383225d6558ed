"""What an image is built from, case by case."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._dockerfile import parse
from hullmark._dockerfile.inputs import build_inputs, files_below
from hullmark.model.inputs import Because

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.inputs import BuildInputs


def _inputs(root: Path, text: str, **how: Any) -> BuildInputs:
    """The inputs of `text` as `Dockerfile` of the project in `root`, which is the context as well."""
    args = how.get("args", {})
    return build_inputs(
        parse(text, "Dockerfile", args=args).recipe(how.get("target")),
        root,
        **{
            "context": root,
            "dockerfile": root / "Dockerfile",
            "because": Because(text="the Dockerfile of `web`"),
            **how,
        },
    )


def _why(inputs: BuildInputs, path: str) -> list[str]:
    return [str(each) for each in inputs.match(PurePosixPath(path))]


@pytest.mark.parametrize(
    ("instruction", "chosen", "left"),
    [
        ("COPY a /", ["a", "a/b/c"], ["ab", "b/a", "A"]),
        ("COPY . /", ["a", ".hidden", "a/b"], []),
        ("COPY / /", ["a", "a/b"], []),
        ("COPY ./a/ /", ["a/b"], ["b"]),
        ("COPY ../a /", ["a"], ["b"]),
        ("COPY a/../b /", ["b"], ["a"]),
        ("COPY a b /", ["a", "b"], ["c"]),
        ('COPY ["with space", "/"]', ["with space"], ["with"]),
        ("COPY *.txt /", ["a.txt", "d.txt/x"], ["a/b.txt", "a.txtx"]),
        ("COPY */*.md /", ["a/b.md"], ["b.md", "a/b/c.md"]),
        ("COPY **/x /", ["a/x"], ["a/b/x"]),
        ("COPY a? /", ["ab"], ["a", "abc"]),
        ("COPY [a-c]x /", ["bx"], ["dx", "-x"]),
        ("COPY [^a]x /", ["bx"], ["ax"]),
        ("COPY [c-a]x /", [], ["bx", "cx"]),
        ("COPY [^c-a]x /", ["bx"], ["b"]),
        ("COPY arr[[]0] /", ["arr[0]"], ["arr0"]),
        ("COPY [a /", ["a", "b"], []),
        (r"COPY a\*b /", ["a*b", "axb"], ["a"]),
        (r'COPY ["a\\\\*b", "/"]', ["a*b", r"a\*b"], ["axb"]),
        ("ADD a.tar.gz /", ["a.tar.gz"], ["a"]),
        ("ADD vendor/lib.git /", ["vendor/lib.git/HEAD"], ["vendor/x"]),
        ("ADD https://example.org/a.git /", [], ["a", "a.git"]),
        ("ADD git@example.org:a.git /", ["git@example.org:a.git"], ["a.git"]),
        ("COPY <<EOF /a\nx\nEOF", [], ["a", "EOF"]),
        ('COPY a <<-"EOF" /d/\nx\nEOF', ["a"], ["EOF"]),
        ("COPY --chown=1:1 --link a /", ["a"], ["b"]),
        ("RUN --mount=type=bind,target=/x true", ["a", "b/c"], []),
        ("RUN --mount=target=/x,source=a true", ["a", "a/b"], ["b"]),
        ("RUN --mount=target=/x,src=a* true", ["a*"], ["ab"]),
        ("RUN --mount=type=cache,target=/x true", [], ["a"]),
        ("RUN true", [], ["a"]),
        ("ONBUILD COPY a /", [], ["a"]),
        ("ONBUILD RUN --mount=target=/x,source=a true", [], ["a"]),
        ("ENV X=a\nCOPY $X /", ["a"], ["b"]),
        ("ARG X=a\nCOPY ${X}/b /", ["a/b"], ["a/c", "b"]),
        ("ARG X=a\nENV X=b\nARG X=c\nCOPY $X /", ["b"], ["a", "c"]),
        ("ENV X=a\nENV X=b Y=$X\nCOPY $Y /", ["a"], ["b"]),
        ("COPY $X /", ["a", "b"], []),
        ("ARG X\nCOPY $X /", ["a", "b"], []),
        ("ARG TARGETARCH\nCOPY ${TARGETARCH:-amd64} /", ["a", "arm64"], []),
        ("ENV X=$UNKNOWN\nCOPY ${X:-a} /", ["a", "b"], []),
        ("COPY --parents a/b/c /", ["a/b/c", "a/b/c/d"], ["a/b/d", "c"]),
        ("COPY --parents a/./b/c /", ["a/b/c"], ["a/b/d", "b/c"]),
        ("COPY --parents a/*/./b /", ["a/x/b/c"], ["a/x/c", "b"]),
        ("COPY --parents a/**/b.json /", ["a/b.json", "a/x/y/b.json"], ["b.json", "a/x/b"]),
        ("COPY --parents **/b.json /", ["b.json", "a/x/y/b.json"], ["b"]),
        ("COPY --parents ./a/b /", ["a/b"], ["a/c"]),
        ("COPY --parents . /", ["a", "b/c"], []),
        ("COPY --parents !a /", ["a", "b"], []),
        ("COPY --exclude=**/*.md . /", ["a", "a/b"], ["a.md", "a/b.md"]),
        ("COPY --exclude=**/*.md --exclude=!**/k.md . /", ["k.md", "a/k.md"], ["a.md"]),
        ("COPY --exclude=*.md a /", ["a/b/c.md", "a/x", "a/b.md"], []),
        ("COPY --exclude=**/x a b /", ["a/y", "b/y"], ["a/x", "b/c/x/d"]),
        ("COPY --exclude=[ . /", ["a"], []),
        ("COPY --exclude=$X . /", ["a"], []),
        ("COPY --parents --exclude=**/*.md a/** /", ["a/b"], ["a/b.md", "b"]),
    ],
)
def test_an_instruction_takes_these_paths_and_not_those(
    tmp_path: Path, instruction: str, chosen: list[str], left: list[str]
) -> None:
    inputs = _inputs(tmp_path, f"FROM scratch\n{instruction}\n")
    assert [path for path in chosen if not _why(inputs, path)] == []
    assert [path for path in left if _why(inputs, path)] == []


def _write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path, encoding="utf-8")


def _files(inputs: BuildInputs, root: Path) -> list[str]:
    return sorted(f"{name}:{path}" if name else path for name, path, _ in files_below(inputs, root))


def test_the_reason_names_the_instruction_and_its_line(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY a /\nADD a/b /\nRUN --mount=target=/x,source=a true\n")
    assert _why(inputs, "a/b") == ["COPY at Dockerfile:2", "ADD at Dockerfile:3", "mount at Dockerfile:4"]
    assert _why(inputs, "a") == ["COPY at Dockerfile:2", "mount at Dockerfile:4"]
    assert _why(inputs, "Dockerfile") == ["the Dockerfile of `web`"]
    (unknown,) = _why(_inputs(tmp_path, "FROM scratch\nCOPY $X/b /\n"), "a")
    assert unknown.startswith("COPY at Dockerfile:2 (what `$X/b` is called is not known here")


STAGES = """\
FROM base:1 AS base
ONBUILD COPY triggered /
COPY base /
FROM unused:1 AS unused
COPY unused /
FROM base AS lib
COPY lib /
FROM scratch AS tool
COPY tool /
FROM scratch
COPY --from=lib /lib /
COPY --from=other/image:2 / /
RUN --mount=from=tool,target=/t --mount=type=cache,from=cached:1,target=/c true
"""


PUT_OFF = """\
FROM scratch AS tool
COPY tool /
FROM scratch AS other
COPY other /
FROM debian AS base
ENV WHERE=mounted
ONBUILD RUN --mount=target=/a,source=$WHERE --mount=from=tool,target=/t true
ONBUILD COPY --from=1 /other /
{}
"""


def test_what_is_mounted_once_an_image_is_built_upon_counts_there_and_not_before(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, PUT_OFF.format("FROM base"))
    assert _why(inputs, "mounted/a") == ["mount at Dockerfile:7"]
    # Builders that let it name a stage take that one as well.
    assert [name for name in ("tool", "other", "left") if _why(inputs, name)] == ["tool", "other"]
    inputs = _inputs(tmp_path, PUT_OFF.format(""))
    assert not [name for name in ("mounted/a", "tool", "other") if _why(inputs, name)]


def test_only_what_the_target_needs_is_looked_at(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, STAGES)
    names = ("base", "unused", "lib", "tool", "triggered")
    assert [name for name in names if _why(inputs, name)] == ["base", "lib", "tool", "triggered"]
    assert inputs.bases == ("base:1", "other/image:2", "cached:1")
    inputs = _inputs(tmp_path, STAGES, target="tool")
    assert [name for name in names if _why(inputs, name)] == ["tool"]
    assert inputs.bases == ()
    assert inputs.target == "tool"


@pytest.mark.parametrize(
    ("lines", "args", "chosen", "left"),
    [
        (["FROM scratch", "ARG X=a", "COPY $X /"], {"X": "b"}, "b", "a"),
        (["FROM scratch", "ARG X", "COPY x/$X /"], {"X": "b"}, "x/b", "x/a"),
        (["FROM scratch", "ARG X=a", "ENV X=b", "COPY $X /"], {"X": "c"}, "b", "c"),
        (["FROM scratch", "ARG X=a", "ENV Y=$X", "COPY $Y /"], {"X": "b"}, "b", "a"),
        (["ARG X=a", "FROM scratch", "ARG X", "COPY $X /"], {}, "a", "b"),
        (["ARG X=a", "FROM scratch", "ARG X", "COPY $X /"], {"X": "b"}, "b", "a"),
        (["ARG X", "FROM scratch", "ARG X", "COPY $X /"], {"X": "b"}, "b", "a"),
        (["ARG X=a", "FROM scratch", "ARG X=b", "COPY $X /"], {}, "b", "a"),
        (["ARG Y=a", "ARG X=$Y/b", "FROM scratch", "ARG X", "COPY $X /"], {"Y": "c"}, "c/b", "a/b"),
        (["FROM scratch AS one", "ARG X=a", "ENV Y=b", "FROM one", "COPY $X/$Y /"], {}, "a/b", "b"),
        # Not asked for in its stage, it is not the one from before the first FROM.
        (["ARG X=a", "FROM scratch", "COPY $X /"], {"X": "b"}, "anything", None),
        (["# escape=`", "FROM scratch", "ARG X=a", "COPY $X/b`*c /"], {}, "a/b*c", "b"),
    ],
)
def test_a_source_is_called_what_the_arguments_of_the_build_make_of_it(
    tmp_path: Path, lines: list[str], args: dict[str, str], chosen: str, left: str | None
) -> None:
    inputs = _inputs(tmp_path, "\n".join([*lines, ""]), args=args)
    assert _why(inputs, chosen)
    assert left is None or not _why(inputs, left)


def test_arguments_that_nobody_asks_for_are_none(tmp_path: Path) -> None:
    text = "ARG GLOBAL\nFROM scratch AS unused\nARG UNUSED\nFROM scratch\nARG ASKED=1\nARG OTHER\n"
    args = {"GLOBAL": "1", "UNUSED": "2", "ASKED": "3", "NOBODY": "4", "BUILDKIT_INLINE_CACHE": "1"}
    inputs = _inputs(tmp_path, text, args=args)
    assert dict(inputs.args) == {"GLOBAL": "1", "ASKED": "3", "BUILDKIT_INLINE_CACHE": "1"}
    assert "ASKED" not in repr(inputs)


def test_the_dockerfile_and_every_possible_ignore_file_are_inputs_even_when_they_are_ignored(
    tmp_path: Path,
) -> None:
    _write(tmp_path, "context/a", "docker/web.Dockerfile")
    (tmp_path / "context" / ".dockerignore").write_text("*\n", encoding="utf-8")
    inputs = _inputs(
        tmp_path,
        "FROM scratch\nCOPY . /\n",
        context=tmp_path / "context",
        dockerfile=tmp_path / "docker" / "web.Dockerfile",
    )
    assert _why(inputs, "docker/web.Dockerfile")
    assert _why(inputs, "docker/web.Dockerfile.dockerignore") == ["the ignore file of the build"]
    assert _why(inputs, "context/.dockerignore") == ["the ignore file of the build"]
    assert not _why(inputs, "context/a")
    assert not _why(inputs, "a")


def test_an_ignore_file_that_the_builder_refuses_leaves_nothing_out(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a\n[\n", encoding="utf-8")
    assert _why(_inputs(tmp_path, "FROM scratch\nCOPY . /\n"), "a")


def test_a_dockerfile_in_the_compose_file_has_only_the_ignore_file_of_its_context(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("b\n", encoding="utf-8")
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY . /\n", dockerfile=None)
    assert list(inputs.files) == [".dockerignore"]
    assert _why(inputs, "a")
    assert not _why(inputs, "b")


def test_a_context_may_lie_outside_of_the_project(tmp_path: Path) -> None:
    root = tmp_path / "project"
    _write(tmp_path, "project/x", "common/a", "common/b")
    inputs = _inputs(
        root,
        "FROM scratch\nCOPY a /\n",
        context=tmp_path / "common",
        dockerfile=tmp_path / "common/Dockerfile",
    )
    assert _why(inputs, "../common/a")
    assert _why(inputs, "../common/Dockerfile")
    assert not _why(inputs, "../common/b")
    assert not _why(inputs, "a")
    assert _files(inputs, root) == ["a"]


def test_links_count_together_with_what_they_lead_to(tmp_path: Path) -> None:
    _write(tmp_path, "real/deep/a", "real/b", "other")
    (tmp_path / "link").symlink_to("real/deep")
    (tmp_path / "chain").symlink_to("/link")
    (tmp_path / "gone").symlink_to("real/new")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "out").symlink_to("../../other")
    for source, paths in {
        "link": ["link", "real/deep/a"],
        "link/a": ["link", "real/deep/a"],
        "chain": ["chain", "link", "real/deep/a"],
        "ch*n/a": ["chain", "link", "real/deep/a"],
        "gone": ["gone", "real/new"],
        "loop": ["loop"],
        "out": ["out", "other"],
    }.items():
        inputs = _inputs(tmp_path, f"FROM scratch\nCOPY {source} /\n")
        assert [path for path in paths if not _why(inputs, path)] == []
        assert not _why(inputs, "real/b")
    # A link in a directory that is copied stays one.
    (tmp_path / "real" / "up").symlink_to("../other")
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY real /\n")
    assert _why(inputs, "real/up")
    assert not _why(inputs, "other")


def test_what_is_walked_is_what_matches_and_the_directories_that_it_brings_along(tmp_path: Path) -> None:
    _write(tmp_path, "a/keep/x", "a/drop/y", "a/z", "b/x", "c/d/e", "c/f/g")
    (tmp_path / "a" / "empty").mkdir()
    (tmp_path / ".dockerignore").write_text("a\n!a/keep/x\nDockerfile\n", encoding="utf-8")
    assert _files(_inputs(tmp_path, "FROM scratch\nCOPY a /\n"), tmp_path) == ["a", "a/keep", "a/keep/x"]
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY --parents c/*/e /\nCOPY b/* /\n")
    assert _files(inputs, tmp_path) == ["b/x", "c", "c/d", "c/d/e"]
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY --exclude=**/d --exclude=!**/e . /\n")
    assert _files(inputs, tmp_path) == [
        *(".dockerignore", "a", "a/keep", "a/keep/x", "b", "b/x"),
        *("c", "c/d", "c/d/e", "c/f", "c/f/g"),
    ]


def test_an_empty_directory_is_one_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "empty").mkdir(parents=True)
    assert _files(_inputs(tmp_path, "FROM scratch\nCOPY a /\n"), tmp_path) == ["a", "a/empty"]


def test_all_below_a_directory_is_asked_for_at_once(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("c\n!c/d/e\nf\n", encoding="utf-8")
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY a/b/c c f /\nCOPY --parents p/./*/q /\n")

    def below(path: str) -> bool:
        return bool(inputs.below(PurePosixPath(path)))

    assert [
        path for path in ("a", "a/b", "a/b/c/d", "c", "c/d", ".", "p", "p/x", "p/x/q/r") if not below(path)
    ] == []
    assert [path for path in ("b", "a/c", "c/x", "f", "f/x") if below(path)] == []


def test_named_contexts_are_followed_for_what_is_taken_of_them(tmp_path: Path) -> None:
    _write(tmp_path, "common/a", "common/b", "common/c", "site.git/HEAD")
    (tmp_path / "common" / ".dockerignore").write_text("c\n", encoding="utf-8")
    inputs = _inputs(
        tmp_path,
        "FROM docker.io/library/upstream:latest\n"
        "COPY --from=Shared a /\nRUN --mount=from=shared,source=b,target=/b true\n"
        "COPY --from=img / /\nCOPY --from=far / /\nCOPY --from=local.git / /\nCOPY x /\n",
        contexts={
            "shared": str(tmp_path / "common"),
            "local.git": str(tmp_path / "site.git"),
            "upstream": "service:base",
            "img": "docker-image://example.org/img:1",
            "far": "https://example.org/far.git",
            "unnamed": "service:other",
        },
    )
    assert _why(inputs, "common/a") == ["COPY at Dockerfile:2"]
    assert _why(inputs, "common/b") == ["mount at Dockerfile:3"]
    assert not _why(inputs, "common/c")
    assert _why(inputs, "common/.dockerignore")
    assert _why(inputs, "site.git/HEAD")
    assert _why(inputs, "x")
    assert not _why(inputs, "shared/x")
    assert inputs.bases == ("example.org/img:1",)
    assert [name for name, _ in inputs.services] == ["other", "base"]
    assert [str(each) for each in inputs.unfollowed] == [
        "COPY at Dockerfile:5 takes `https://example.org/far.git`"
    ]


def test_what_is_fetched_is_said_not_to_be_followed(tmp_path: Path) -> None:
    inputs = _inputs(
        tmp_path,
        "FROM scratch\nADD https://example.org/a /\n"
        f"ADD --checksum=sha256:{'0' * 64} https://example.org/b /\n"
        "ADD git@example.org:c.git /\n",
    )
    assert [(str(each), each.known) for each in inputs.unfollowed] == [
        ("ADD at Dockerfile:2 takes `https://example.org/a`", False),
        ("ADD at Dockerfile:3 takes `https://example.org/b`", True),
        ("ADD at Dockerfile:4 takes `git@example.org:c.git`", False),
    ]


def test_the_image_of_another_service_is_known_by_its_name(tmp_path: Path) -> None:
    text = "FROM project-base AS one\nFROM scratch\nCOPY --from=one / /\nCOPY --from=assets:1 / /\n"
    inputs = _inputs(tmp_path, text, images={"project-base": "base", "assets:1": "assets"})
    assert {name: str(why) for name, why in inputs.services} == {
        "base": "FROM at Dockerfile:1",
        "assets": "COPY at Dockerfile:4",
    }
    assert inputs.bases == ()
