r"""A script is there, and what is to run it is not.

What it looks like
    `exec /entrypoint.sh: no such file or directory` although the file is there, `env: 'bash\\r': No such file or
    directory`, `/bin/sh^M: bad interpreter`, `$'\\r': command not found`.

Why it happens
    The kernel says so of the interpreter that the first line names, not of the script: the image has no `/bin/bash`,
    or the script has Windows line ends and asks for a program called `sh` and a carriage return. A program that was
    linked for another C library (glibc, musl) fails in the same words.

What to do
    Convert the line ends, and keep Git from changing them back.

        sed -i 's/\\r$//' entrypoint.sh

        echo '*.sh text eol=lf' >> .gitattributes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.patient import head
from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Repair, Shell, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a script is there, and what is to run it is not",
    patterns=(
        r"^exec (?P<program>/\S+): no such file or directory",
        r"env: (?:can't execute )?['\u2018](?P<interpreter>[^'\u2019\r]+?)(?:\\r|\^M|\r)?['\u2019]: No such file or directory",
        r"(?:^|: )(?P<program>[^\s:]+): (?P<interpreter>/\S+?)(?:\^M|\r): bad interpreter",
        r"(?:^|: )(?P<program>[^\s:]+): (?P<interpreter>/\S+): bad interpreter: No such file or directory",
        r"^(?P<program>[^\s:]+): line \d+: \$'(?:\\r|[^']*\\r)': command not found",
        r"\$'(?:\\r|[^']*\\r)': command not found",
        r"(?P<program>/\S+\.sh): \d+: set: Illegal option -$",
    ),
    since="0.1",
)
def missing_interpreter(symptom: Symptom) -> Advice | None:
    program = symptom.get("program")
    files = symptom.patient.in_contexts(program, symptom.service) if program else ()
    found: tuple[str, ...] = ()
    repair = None
    for file in files:
        if b"\r\n" in head(file, 65536):
            found = (
                f"`{file.relative_to(symptom.patient.directory) if file.is_relative_to(symptom.patient.directory) else file}` has Windows line ends",
            )
            repair = Repair(
                argv=("sed", "-i", r"s/\r$//", str(file)), effect=f"gives the lines of {file.name} Unix ends"
            )
            break
    name = program or "the script"
    return Advice(
        cause=f"the first line of `{name}` asks for an interpreter that the image has not got; with Windows line ends, for one whose name ends in a carriage return",
        found=found,
        remedies=(
            Remedy(
                text="give the lines Unix ends",
                command=("sed", "-i", r"s/\r$//", *operand(files[0].name if files else "SCRIPT")),
            ),
            Remedy(
                text="keep Git from changing them back",
                command=("echo", "*.sh text eol=lf", Shell.APPEND, ".gitattributes"),
            ),
            Remedy(text="or install the interpreter that the script names, such as bash"),
        ),
        repair=repair,
    )
