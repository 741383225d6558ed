"""What the doctor says to type: commands of hullmark are ones that there are, with options that they have."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from hullmark import _doctor
from hullmark._cli.app import app

SOURCE = Path(_doctor.__file__).parent
COMMANDS = sorted(
    {
        match
        for path in SOURCE.rglob("*.py")
        for match in re.findall(r"[`\"](hullmark [a-z]+(?: --[a-z-]+)*)", path.read_text(encoding="utf-8"))
    }
)


def test_there_are_commands_to_look_at() -> None:
    assert "hullmark smoke" in COMMANDS


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(text: str) -> None:
    _, name, *options = text.split()
    assert isinstance(app, click.Group)
    command = app.get_command(click.Context(app), name)
    assert command is not None, text
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert set(options) <= known
