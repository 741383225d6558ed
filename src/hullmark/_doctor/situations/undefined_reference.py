"""The Compose file names what it does not define.

What it looks like
    `service "web" depends on undefined service "db"`, `service "web" refers to undefined volume data`, the same of
    networks, secrets and configs, or `no such service: wbe`.

Why it happens
    The name is misspelt, what it names is in a file that was not given (`-f`), or the service belongs to a profile
    that is not active.

What to do
    Define it at the top level, name the other file, or activate the profile.

        docker compose --profile NAME config --services
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.errors import nearest
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="the Compose file names what it does not define",
    patterns=(
        r"service \"(?P<user>[^\"]+)\" (?:depends on|refers to) undefined (?P<kind>\w+) \"?(?P<name>[\w.-]+)",
        r"^no such (?P<kind>service): (?P<name>[\w.-]+)",
        r"service \"(?P<user>[^\"]+)\" has neither an image nor a build context",
    ),
    since="0.1",
)
def undefined_reference(symptom: Symptom) -> Advice | None:
    kind, name, user = symptom.get("kind", "image"), symptom.get("name"), symptom.get("user")
    if not name:
        return Advice(
            cause=f"`{user}` says neither which image it runs nor how that is built; another file may have said it",
            remedies=(
                Remedy(
                    text="give it `image` or `build`, or name all files",
                    command=("docker", "compose", "-f", "compose.yml", "-f", "compose.dev.yml", "config"),
                ),
            ),
        )
    project = symptom.patient.project
    near = nearest(name, [each.name for each in project.services]) if project and kind == "service" else None
    return Advice(
        cause=f"no {kind} `{name}` is defined{f'; `{near}` may be meant' if near else ''}",
        remedies=(
            Remedy(text=f"define it under `{kind}s`, or correct the name"),
            Remedy(
                text="see what is defined, profiles and further files included",
                command=("docker", "compose", "--profile", "*", "config", "--services"),
            ),
        ),
    )
