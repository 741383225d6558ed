"""The builder is too old for what the Dockerfile says, or does not know it.

What it looks like
    `the --mount option requires BuildKit`, `dockerfile parse error on line 2: unknown flag: link`, `unknown
    instruction: ...`.

Why it happens
    The old builder was chosen (`DOCKER_BUILDKIT=0`), the engine or the frontend is older than the feature, or the
    flag or instruction is misspelt.

What to do
    Use BuildKit; name a frontend that has the feature in the first line where the engine is older.

        # syntax=docker/dockerfile:1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.errors import nearest
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom

KEYWORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "ONBUILD"),
    *("RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)


@situation(
    summary="the builder does not know what the Dockerfile says",
    patterns=(
        r"the (?P<flag>--\w+) option requires BuildKit",
        r"parse error on line (?P<line>\d+): unknown flag: (?P<flag>[\w-]+)",
        r"parse error on line (?P<line>\d+): unknown instruction: (?P<instruction>\S+)",
        r"[Uu]nknown flag: (?P<flag>(?:mount|link|chmod|parents|exclude|checksum|secret|ssh)\b)",
        r"(?P<heredoc>unknown instruction: (?:EOF|<<\S*))",
    ),
    since="0.1",
)
def old_builder(symptom: Symptom) -> Advice | None:
    flag, instruction = symptom.get("flag").removeprefix("--"), symptom.get("instruction")
    known = {
        "mount",
        "link",
        "chmod",
        "parents",
        "exclude",
        "checksum",
        "security",
        "network",
        "keep-git-dir",
    }
    if flag in known:
        cause = f"`--{flag}` needs BuildKit, and a frontend that is new enough"
    elif flag or instruction:
        what = f"flag `--{flag}`" if flag else f"instruction `{instruction}`"
        near = nearest(flag or instruction.upper(), known if flag else KEYWORDS)
        cause = f"this builder knows no {what}{f'; `{near}` may be meant' if near else ''}"
    else:
        cause = "this builder does not know here-documents"
    return Advice(
        cause=cause,
        remedies=(
            Remedy(
                text="see which builder it is; DOCKER_BUILDKIT=0 chooses the old one",
                command=("docker", "buildx", "version"),
            ),
            Remedy(
                text="name a frontend that has it in the first line of the Dockerfile",
                line="# syntax=docker/dockerfile:1",
            ),
        ),
    )
