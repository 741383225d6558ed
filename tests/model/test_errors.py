"""Every error says what happened, what to do, and how the command ends."""

from __future__ import annotations

import re

import pytest

from hullmark import errors
from hullmark.errors import CommandFailed, ConfigurationError, HullmarkError, Interrupted, UsageError, nearest


def _drawn() -> dict[str, int]:
    """The classes of the tree in the module's docstring, with their exit codes."""
    lines = re.findall(r"^\W*(\w+)\s+exit (\d+)", errors.__doc__ or "", re.MULTILINE)
    return {name: int(code) for name, code in lines}


def test_the_tree_that_is_drawn_is_the_tree_that_there_is() -> None:
    there = {
        name: value.exit_code
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, HullmarkError)
    }
    assert _drawn() == there


def test_an_error_shows_its_message_and_keeps_its_hint() -> None:
    error = UsageError("no such thing", hint="look elsewhere")
    assert (str(error), error.message, error.hint) == ("no such thing", "no such thing", "look elsewhere")


def test_a_configuration_error_holds_one_line_per_problem() -> None:
    error = ConfigurationError(iter(["a:1:1: x", "b:2:2: y"]), hint="h")
    assert error.problems == ("a:1:1: x", "b:2:2: y")
    assert error.message == "a:1:1: x\nb:2:2: y"
    assert error.hint == "h"


def test_a_failed_command_shows_the_last_twenty_lines() -> None:
    error = CommandFailed(["a", "b"], 5, "\n".join(f"line {n}" for n in range(50)))
    lines = error.message.splitlines()
    assert lines[0] == "`a b` failed with exit status 5:"
    assert lines[1:] == [f"  line {n}" for n in range(30, 50)]
    assert error.output.startswith("line 0")


def test_an_interruption_needs_no_words() -> None:
    assert Interrupted().message == "interrupted"


@pytest.mark.parametrize(
    ("name", "valid", "meant"),
    [
        ("polcy", ["policy", "project"], "policy"),
        ("fail_on", ["fail-on"], "fail-on"),
        ("xyz", ["policy"], None),
        ("", ["policy"], None),
        ("policy", [], None),
    ],
)
def test_the_nearest_name_is_the_one_that_was_most_likely_meant(
    name: str, valid: list[str], meant: str | None
) -> None:
    assert nearest(name, valid) == meant


def test_the_nearest_name_does_not_depend_on_the_order() -> None:
    assert nearest("wab", ["web", "wob"]) == nearest("wab", ["wob", "web"])
