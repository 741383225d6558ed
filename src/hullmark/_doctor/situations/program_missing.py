"""A program is not in the image.

What it looks like
    `exec: "uvicorn": executable file not found in $PATH`, `exec: "/entry.sh": stat /entry.sh: no such file or
    directory`, or `/bin/sh: 1: curl: not found` and exit code 127 in a RUN.

Why it happens
    It is not installed in this stage; it is in a directory that PATH does not name, such as the `bin` of a virtual
    environment after a squash has dropped ENV; or the file was never copied. A script that is there and asks for an
    interpreter that is not there is refused in similar words.

What to do
    Install it in the stage that uses it, or declare PATH again.

        ENV PATH=/opt/venv/bin:$PATH
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a program is not in the image",
    patterns=(
        r"exec: \"(?P<program>[^\"]+)\": executable file not found in \$PATH",
        r"exec: \"(?P<program>[^\"]+)\": stat \S+: no such file or directory",
        r"^(?:/bin/)?(?:sh|bash|ash|dash): (?:line )?(?:\d+: )?(?P<program>[\w./+-]+): (?:command )?not found",
        r"^(?:sh|bash|dash): \d+: exec: (?P<program>\S+): not found",
    ),
    gives_way_to=("health-check-program-missing",),
    since="0.1",
)
def program_missing(symptom: Symptom) -> Advice | None:
    program = symptom.get("program")
    lost = []
    for service in symptom.patient.built(symptom.service):
        recipe = symptom.patient.recipe(service)
        gone = recipe.final.lost_pair("ENV", "PATH") if recipe and symptom.step is None else None
        if gone is not None and recipe is not None and recipe.final.pair("ENV", "PATH") is None:
            place = f"{gone.instruction.span.path}:{gone.instruction.span.line}"
            lost.append(f"{place}: sets PATH, and the squash of `{service.name}` drops it")
    if program.startswith("/"):
        cause = f"the image has no file `{program}`, or what its first line asks for is not there"
    else:
        cause = f"no directory of PATH in the image has a program `{program}`"
    return Advice(
        cause=cause,
        found=tuple(lost),
        remedies=(
            Remedy(text=f"install or copy `{program.rpartition('/')[2]}` in the stage that uses it"),
            Remedy(
                text="or name its directory in PATH, after a squash once more: `ENV PATH=/opt/venv/bin:$PATH`"
            ),
        ),
    )
