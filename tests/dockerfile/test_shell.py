"""What a RUN with here-documents runs: the document feeds its command, and is not read as commands of the script."""

from __future__ import annotations

import pytest

from hullmark._dockerfile import parse

SEEN = [
    ("python3 <<EOF\nimport os\nEOF", ["python3 << 'import os\\n'"]),
    ("<<EOF python3\nimport os\nEOF", ["python3 << 'import os\\n'"]),
    ("A=1 <<EOF python3\nimport os\nEOF", ["python3 << 'import os\\n'"]),
    ("<<EOF >/x cat\na b\nEOF", ["cat << 'a b\\n' > /x"]),
    (">/x <<EOF cat\na b\nEOF", ["cat > /x << 'a b\\n'"]),
    ("cat <<EOF >/x\na b\nEOF", ["cat << 'a b\\n' > /x"]),
    ("cat <<-'EOF' >/x && y\n\ta b\n\tEOF", ["cat <<- '\\ta b\\n' > /x", "y"]),
    ("true && <<EOF python3 && z\nimport os\nEOF", ["true", "python3 << 'import os\\n'", "z"]),
    ("cat <<A <<B\nx y\nA\nz w\nB", ["cat << 'x y\\n' << 'z w\\n'"]),
    ("one <<A && two <<B\nx y\nA\nz w\nB", ["one << 'x y\\n'", "two << 'z w\\n'"]),
    ("echo 'a <<B c' <<B\nz w\nB", ["echo a <<B c << 'z w\\n'"]),
    ("sh -e <<EOF\na b\nEOF", ["sh -e << 'a b\\n'", "a b"]),
    ("<<'EOF' bash -eu\na b\nEOF", ["bash -eu << 'a b\\n'", "a b"]),
    ("sh <<EOF -e\na b\nEOF", ["sh -e << 'a b\\n'", "a b"]),
    ("true && echo a >/x b c", ["true", "echo a b c > /x"]),
    ("sh script <<EOF\na b\nEOF", ["sh script << 'a b\\n'"]),
    ("\\\n  3<<É sh -s\na é b\nÉ", ["sh -s << 'a é b\\n'", "a é b"]),
    ("<<EOF\na b\nsh <<X\nc d\nX\nEOF", ["a b", "sh << 'c d\\n'", "c d"]),
    ("<<'E F'\na b\nE F", ["a b"]),
]


@pytest.mark.parametrize(("run", "expected"), SEEN, ids=[run for run, _ in SEEN])
def test_a_here_document_feeds_its_command(run: str, expected: list[str]) -> None:
    (instruction,) = parse(f"FROM scratch\nRUN {run}\n", "Dockerfile").stages[0].instructions
    assert instruction.unread is None
    found = []
    for command in instruction.commands:
        redirects = [
            f" {each.operator} {each.target if each.content is None else repr(each.content)}"
            for each in command.redirects
        ]
        found.append(f"{command}{''.join(redirects)}")
    assert found == expected


def test_a_command_in_a_here_document_has_its_own_place() -> None:
    dockerfile = parse("FROM scratch\nRUN A=1 \\\n  <<-EOF sh\n\techo é && rm /x\n\tEOF\n", "Dockerfile")
    (instruction,) = dockerfile.stages[0].instructions
    assert [dockerfile.excerpt(each.span) for each in instruction.commands] == [
        "A=1 \\\n  <<-EOF sh",
        "echo é",
        "rm /x",
    ]


def test_what_is_put_off_is_read_like_any_other_run() -> None:
    dockerfile = parse(
        'FROM a\nSHELL ["pwsh", "-c"]\nONBUILD RUN --mount=type=bind,from=other,target=/x \\\n  <<-EOF sh\n\techo é && rm /x\n\tEOF\n'
        'SHELL ["/bin/sh", "-c"]\n',
        "Dockerfile",
    )
    stage = dockerfile.stages[0]
    (run,) = stage.runs
    assert run is stage.instructions[1].trigger
    assert run.unread is None
    assert [dockerfile.excerpt(each.span) for each in run.commands] == ["sh", "echo é", "rm /x"]
    assert [(each.target, str(each.source)) for each in run.mounts] == [("/x", "other")]
