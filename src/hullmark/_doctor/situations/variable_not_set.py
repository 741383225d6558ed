"""A variable that the Compose file uses is not set.

What it looks like
    `The "TOKEN" variable is not set. Defaulting to a blank string.`, or `required variable TOKEN is missing a value:
    ...`.

Why it happens
    The Compose file says `${TOKEN}`, and neither the environment nor `.env` beside it nor `--env-file` has it. A
    dollar sign that is meant for the shell inside of the container has to be doubled.

What to do
    Set it in `.env` or name the file, write a default (`${TOKEN:-none}`), or double the dollar sign (`$$TOKEN`).

        docker compose config --variables
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a variable that the Compose file uses is not set",
    patterns=(
        r"The \\?\"(?P<variable>\w+)\\?\" variable is not set\. Defaulting to a blank string",
        r"required variable (?P<variable>\w+) is missing a value(?:: (?P<wanted>[^\n]+))?",
    ),
    since="0.1",
)
def variable_not_set(symptom: Symptom) -> Advice | None:
    name = symptom.get("variable")
    wanted = symptom.get("wanted")
    return Advice(
        cause=f"neither the environment nor an env file sets `{name}`{f' ({wanted})' if wanted else ''}",
        remedies=(
            Remedy(text="set it in `.env` beside the Compose file, or name another file with `--env-file`"),
            Remedy(
                text=f"or write a default: `${{{name}:-...}}`; a dollar sign for the container is doubled: `$${name}`"
            ),
            Remedy(
                text="see every variable that is used", command=("docker", "compose", "config", "--variables")
            ),
        ),
    )
