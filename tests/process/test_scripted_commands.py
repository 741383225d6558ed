"""The double answers as it was told to, and like the real thing in everything else."""

from __future__ import annotations

import pytest

from hullmark._process import Completed
from hullmark.errors import Unavailable
from hullmark.testing import ScriptedCommands


def test_a_command_is_answered_by_its_longest_scripted_prefix() -> None:
    commands = ScriptedCommands(
        {
            ("docker",): ScriptedCommands.completed("short"),
            ("docker", "compose"): ScriptedCommands.completed("long"),
        }
    )
    assert commands.run(("docker", "compose", "config")).stdout == "long"
    assert commands.run(("docker", "ps")).stdout == "short"


def test_an_answer_carries_the_command_it_answers() -> None:
    commands = ScriptedCommands({("a",): ScriptedCommands.completed("o", stderr="e", returncode=2)})
    assert commands.run(("a", "b")) == Completed(argv=("a", "b"), returncode=2, stdout="o", stderr="e")


def test_an_answer_may_be_computed_from_the_command() -> None:
    commands = ScriptedCommands({("echo",): lambda argv: ScriptedCommands.completed(" ".join(argv[1:]))})
    assert commands.run(["echo", "x", "y"]).stdout == "x y"


def test_what_is_not_scripted_is_a_program_that_is_missing() -> None:
    commands = ScriptedCommands({("docker", "compose"): ScriptedCommands.completed()})
    with pytest.raises(Unavailable, match="`trivy` is not on PATH") as caught:
        commands.run(("trivy", "image"))
    assert caught.value.hint == "install trivy"


def test_every_command_is_remembered_in_order_also_a_missing_one() -> None:
    commands = ScriptedCommands({("a",): ScriptedCommands.completed()})
    commands.run(("a", "1"))
    with pytest.raises(Unavailable):
        commands.run(("b",))
    commands.run(("a", "2"))
    assert commands.calls == [("a", "1"), ("b",), ("a", "2")]


def test_the_lines_of_both_outputs_are_told() -> None:
    told: list[str] = []
    commands = ScriptedCommands({("a",): ScriptedCommands.completed("1\n2\n", stderr="3\n")})
    commands.run(("a",), on_line=told.append)
    assert told == ["1", "2", "3"]
