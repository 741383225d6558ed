"""A dollar sign in the Compose file is not understood.

What it looks like
    `invalid interpolation format for services.web.command. You may need to escape any $ with another $.`

Why it happens
    Compose replaces `${NAME}` before anything else, and what follows the dollar sign is no name, or the brace is not
    closed.

What to do
    Close the brace, or double the dollar sign where it is meant for the shell in the container.

        command: sh -c 'echo $$HOME'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a dollar sign in the Compose file is not understood",
    patterns=(
        r"invalid interpolation format for (?P<key>[\w.\[\]-]+?)\.?(?:$|:| )(?:\n[^\n]*)?(?:\n(?P<value>[^\n]+))?",
    ),
    since="0.1",
)
def invalid_interpolation(symptom: Symptom) -> Advice | None:
    return Advice(
        cause=f"what follows a dollar sign in `{symptom.get('key')}` is no variable, or its brace is not closed",
        remedies=(
            Remedy(text="close the brace, or write `$$` where the dollar sign is meant for the container"),
        ),
    )
