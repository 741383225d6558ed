"""What the doctor says to type: commands that there are, in which words of a log are arguments and nothing else."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doctor.conftest import kept_logs

from hullmark import _doctor
from hullmark._cli.app import app
from hullmark._doctor import Patient, read
from hullmark._doctor.situation import Symptom
from hullmark._doctor.situations import catalogue
from hullmark.model.diagnosis import Remedy, Repair, Shell, operand, typed

if TYPE_CHECKING:
    from tests.doctor.conftest import KeptLog

SOURCE = Path(_doctor.__file__).parent
SITUATIONS = {each.id: each for each in catalogue()}
TOLD = [log for log in kept_logs() if log.situation]
NOBODY = Patient(directory=Path("/nonexistent"))
COMMANDS = sorted(
    {
        match
        for path in SOURCE.rglob("*.py")
        for match in re.findall(r"`(hullmark [a-z]+(?: --[a-z-]+)*)", path.read_text(encoding="utf-8"))
    }
    | {
        # Of a pipe, what is behind it.
        " ".join(remedy.command[remedy.command.index("hullmark") :])
        for log in TOLD
        for each in read(log.file, log.text(), NOBODY).diagnoses
        for remedy in each.advice.remedies
        if "hullmark" in remedy.command
    }
)


def test_there_are_commands_to_look_at() -> None:
    assert "hullmark smoke" in COMMANDS
    assert "hullmark doctor --log -" in COMMANDS


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(text: str) -> None:
    _, name, *words = text.split()
    assert isinstance(app, click.Group)
    command = app.get_command(click.Context(app), name)
    assert command is not None, text
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize(
    "hostile",
    [
        "; rm -rf ~ $(x)",
        "a' ; rm -rf ~ #",
        'a" && rm -rf "~',
        "a\n rm -rf ~\n",
        "a\x1b[201~\r rm -rf ~\r",
        "`rm -rf ~`",
        "/x/$(rm -rf ~)/'y",
        "x.y/a | rm -rf ~",
        "-o=Pre::Invoke::= rm -rf ~",
    ],
)
def test_what_a_log_calls_things_is_one_argument_of_a_command_and_no_option(hostile: str) -> None:
    commands = [remedy for log in TOLD for remedy in _remedies(log, hostile) if remedy.command]
    assert sum(typed([hostile]) in each.shown for each in commands) >= 10
    for each in commands:
        arguments = shlex.split(each.shown)
        assert each.shown.isprintable()
        assert len(arguments) == len(each.command)
        assert not [word for word in arguments if word in {"-rf", "~", ";", "&&", "|"} - {*each.command}]
        assert "-rf" not in arguments
        if hostile.startswith("-") and hostile in arguments:
            assert arguments[arguments.index(hostile) - 1] == "--"


def _remedies(log: KeptLog, hostile: str) -> tuple[Remedy, ...]:
    """What is said of `log` with each value, but for numbers, which no pattern lets be anything else, hostile."""
    assert log.situation is not None
    values = {name: value if value.isdecimal() else hostile for name, value in log.values.items()}
    symptom = Symptom(values=values, service=hostile, step=None, patient=NOBODY)
    advice = SITUATIONS[log.situation].function(symptom)
    return advice.remedies if advice is not None else ()


def test_lines_for_a_file_stay_one_line_and_quote_what_the_file_would_take_for_its_own() -> None:
    def line(situation: str, **values: str) -> str:
        advice = SITUATIONS[situation].function(
            Symptom(values=values, service=None, step=None, patient=NOBODY)
        )
        assert advice is not None
        return next(each.shown for each in advice.remedies if each.line)

    assert line("user-unknown", name="app; id") == "RUN useradd --system 'app; id'"
    assert line("user-unknown", name="a\nRUN id").count("\n") == 0
    assert line("entrypoint-not-executable", program="/srv/run it") == (
        'COPY --chmod=755 ["run it", "/srv/run it"]'
    )
    assert line("read-only-file-system", path="/srv/$x, y/z") == 'tmpfs: ["/srv/$$x, y"]'
    assert line("plain-http-registry", host='r", "x') == '"insecure-registries": ["r\\", \\"x"]'


def test_what_is_shown_of_a_repair_is_quoted_as_well() -> None:
    assert Repair(argv=("chmod", "+x", "a b;c"), effect="").shown == "chmod +x 'a b;c'"
    assert Remedy(text="x", command=("a", Shell.PIPE, "|", Shell.USER)).shown == """a | '|' "$USER\""""


@given(st.lists(st.text(min_size=1), min_size=1))
def test_whatever_the_words_are_a_shell_makes_the_same_number_of_arguments_of_them(words: list[str]) -> None:
    shown = typed(words)
    assert shown.isprintable()
    assert [len(word) for word in shlex.split(shown)] == [len(word) for word in words]
    assert shlex.split(typed(operand(words[0])))[:1] == (
        ["--"] if words[0].startswith("-") else shlex.split(typed(words[:1]))
    )
