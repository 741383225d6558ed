"""The user that is to run is not in the image.

What it looks like
    `unable to find user app: no matching entries in passwd file`, the same of groups.

Why it happens
    `USER`, or `user` in the Compose file, names an account that `/etc/passwd` of this image has not got: it was made
    in another stage, or `/etc/passwd` was not copied. A number needs no account.

What to do
    Make the account in the stage that runs, or name it by number.

        RUN useradd --system --uid 10001 app
        USER app
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand, typed

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom
    from hullmark.model.dockerfile import Command


MAKERS = {"useradd", "adduser", "groupadd", "addgroup"}


@situation(
    summary="the user that is to run is not in the image",
    patterns=(
        r"unable to find (?P<kind>user|group) (?P<name>[^\s:]+): no matching entries in (?P<file>\w+) file",
        r"invalid (?P<kind>user|group): [\u2018'](?P<name>[^\u2019']+)",
        r"""(?:chown|install|getpwnam\(\")[^\n]*?(?P<kind>user|group)[^\n]*?[\u2018'](?P<name>[^\u2019':]+)[\u2019'][^\n]*(?:does not exist|unknown)""",
    ),
    since="0.1",
)
def user_unknown(symptom: Symptom) -> Advice | None:
    kind, name = symptom.get("kind", "user"), symptom.get("name")
    maker = "useradd" if kind == "user" else "groupadd"
    made = [
        f"{instruction.span.path}:{instruction.span.line}: `{name}` is made in stage `{stage.label}`"
        for service in symptom.patient.built(symptom.service)
        for stage in getattr(symptom.patient.recipe(service), "stages", ())
        for instruction in stage.instructions
        if any(_makes(command, name) for command in instruction.commands)
    ]
    return Advice(
        cause=f"the image has no {kind} `{name}` in /etc/{'passwd' if kind == 'user' else 'group'}",
        found=tuple(made),
        remedies=(
            Remedy(
                text="make it in the stage that runs",
                line=f"RUN {typed((maker, '--system', *operand(name)))}",
            ),
            Remedy(text="or name it by number, which needs no entry: `USER 10001`"),
        ),
    )


def _makes(command: Command, name: str) -> bool:
    return command.program in MAKERS and any(word.text == name for word in command.arguments)
