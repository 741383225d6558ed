"""The parser against the builder's own: same instructions, same lines, same flags, same lists, same here-documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dockerfile as buildkit
from hullmark._dockerfile.statements import Problems, statements

if TYPE_CHECKING:
    from hullmark._dockerfile.statements import Statement

HARD = sorted(path for name in ("hard", "shapes") for path in (Path(__file__).parent / name).iterdir())


def ours(text: str) -> list[tuple[object, ...]] | None:
    problems = Problems("Dockerfile")
    found = statements(text, "Dockerfile", problems)
    return None if problems or not found.statements else [shape(statement) for statement in found.statements]


def shape(statement: Statement) -> tuple[object, ...]:
    # Of ONBUILD the oracle shows neither flags nor lists nor here-documents, only the lines they take.
    heredocs = tuple((heredoc.name, heredoc.descriptor, heredoc.content) for heredoc in statement.heredocs)
    flags = (
        ()
        if statement.trigger
        else tuple(
            f"--{flag.name}" if flag.value is None else f"--{flag.name}={flag.value}"
            for flag in statement.flags
        )
    )
    return (
        statement.keyword,
        None if statement.trigger is None else statement.trigger.keyword,
        statement.span.line,
        statement.span.end_line,
        flags,
        statement.json,
        heredocs,
    )


def theirs(text: str) -> list[tuple[object, ...]]:
    return [
        (
            command.cmd.upper(),
            None if command.sub_cmd is None else command.sub_cmd.upper(),
            command.start_line,
            command.end_line,
            command.flags,
            list_of(command) if command.json and not command.sub_cmd else None,
            tuple((heredoc.name, heredoc.file_descriptor, heredoc.content) for heredoc in command.heredocs),
        )
        for command in buildkit.parse_string(text)
    ]


def list_of(command: buildkit.Command) -> tuple[str, ...]:
    value: tuple[str, ...] = command.value
    return value[1:] if command.cmd.upper() == "HEALTHCHECK" else value


@pytest.mark.parametrize("path", HARD, ids=lambda path: path.name)
def test_a_hard_file_has_the_instructions_the_builder_sees(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert ours(text) == theirs(text)


BLANKS = st.sampled_from(["", " ", "\t", "  "])
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\n# note\n", "\n  # hullmark: ignore=x y\n"])
WORDS = st.sampled_from(
    [
        "a",
        "b=c",
        '"q r"',
        "'s t'",
        "x:y",
        "$V",
        "${V:-d}",
        "${V}",
        "\\$",
        "a\\ b",
        "é",
        "#",
        "1.2",
        "--",
        "/",
        "<",
        "$",
        "\\\\",
    ]
)
JOINTS = st.sampled_from(
    [" ", "\t", " \\\n", "\\\n ", " \\  \n\t", " \\\n# c\n", " \\\n\n ", " \\\r\n", " \\\n  # c \\\n  "]
)
KEYWORDS = st.sampled_from(
    [
        "RUN",
        "run",
        "COPY",
        "ADD",
        "ENV",
        "LABEL",
        "ARG",
        "USER",
        "WORKDIR",
        "EXPOSE",
        "VOLUME",
        "CMD",
        "ENTRYPOINT",
        "HEALTHCHECK",
        "ONBUILD RUN",
        "ONBUILD COPY",
        "STOPSIGNAL",
        "FROM",
        "MAINTAINER",
        "SHELL",
    ]
)
FLAGS = {
    "RUN": ["--mount=type=cache,target=/x", "--network=none", '--mount=type=bind,"source=a b"', "--security"],
    "COPY": ["--from=0", "--link", "--chown=a:b", "--chmod=0755"],
    "ADD": ["--checksum=sha256:0", "--keep-git-dir=true"],
    "FROM": ["--platform=$BUILDPLATFORM"],
    "HEALTHCHECK": ["--interval=3s", "--retries=2"],
}
LISTS = st.sampled_from(
    ['["a"]', '["a", "b c"]', "[]", "['a']", '["a",]', '["\\u00e9\\n", "\\"x\\""]', "[a", '[ "x" ,"y" ] ']
)
DOCUMENTS = st.sampled_from(
    [
        ("<<EOF", "EOF"),
        ("<<-EOF", "\t\tEOF"),
        ("<<'E F'", "E F"),
        ('3<<"A"', "A"),
        ("<<-B", "B"),
        ("<<EO$F", "EO$F"),
    ]
)
LINES = st.lists(
    st.sampled_from(["x", "", "# not a comment", "RUN y \\", "\tEO", " EOF", "EOF ", "FROM z"]), max_size=3
)


@st.composite
def an_instruction(draw: st.DrawFn) -> str:
    keyword = draw(KEYWORDS)
    parts = [keyword]
    if draw(st.booleans()):
        parts += draw(st.lists(st.sampled_from(FLAGS.get(keyword.upper(), [""])), max_size=2))
    if keyword == "HEALTHCHECK":
        parts.append("CMD")
    listed = False
    if keyword in ("ENV", "LABEL"):
        parts += draw(st.lists(WORDS.map(lambda word: f"k={word}"), min_size=1, max_size=3))
    elif listed := draw(st.integers(0, 3)) == 0:
        # The builder of today takes a list with something behind it for shell code; the oracle is older.
        parts.append(draw(LISTS))
    else:
        parts += draw(st.lists(WORDS, min_size=2, max_size=4))
    bodies = []
    if keyword.split()[-1].upper() in ("RUN", "COPY", "ADD") and not listed and draw(st.booleans()):
        for opening, closing in draw(st.lists(DOCUMENTS, max_size=2)):
            parts.insert(draw(st.integers(1, len(parts))) if " " not in keyword else len(parts), opening)
            bodies += [*draw(LINES), closing]
    text = draw(BLANKS) + parts[0]
    for part in parts[1:]:
        text += (draw(JOINTS) if part else "") + part
    return text + "".join(f"\n{line}" for line in bodies)


@st.composite
def a_file(draw: st.DrawFn) -> str:
    head = draw(
        st.sampled_from(
            [
                "",
                "\ufeff",
                "# syntax=docker/dockerfile:1\n",
                "# check=skip=all\n",
                "# ESCAPE = \\\n",
                "\n",
                "# x\n",
            ]
        )
    )
    text = head
    for each in draw(st.lists(an_instruction(), min_size=1, max_size=5)):
        text += each + draw(ENDS)
    return text.rstrip("\n") if draw(st.booleans()) else text


@given(a_file())
@example("RUN a\\\\\nRUN b")
@example("RUN it's <<EOF\nRUN b\nEOF x")
def test_a_made_up_file_has_the_instructions_the_builder_sees(text: str) -> None:
    try:
        expected = theirs(text)
    except buildkit.GoParseError:
        return
    found = ours(text)
    if found is not None:
        assert found == expected
