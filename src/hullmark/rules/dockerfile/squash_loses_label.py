r"""A squash drops labels.

What it checks
    What the stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /` set with LABEL, and what the stage that
    flattens them, or one built on it, sets again, label by label. The version is the matter of `missing-version-label`.

Why it matters
    Labels say who made an image, from which sources and under which licence; registries, scanners and scripts read
    them. A squash copies files and nothing else.

How to fix
    Set them again behind the squash.

    Bad:

        FROM python:3.13-slim AS runtime
        LABEL org.opencontainers.image.title="rag"
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        FROM scratch
        COPY --from=runtime / /
        LABEL org.opencontainers.image.title="rag"
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import VERSION_LABEL, lost_pairs, observation


@rule(summary="a squash loses LABEL", severity=Severity.WARNING, since="0.1", fixes="safe or unsafe")
def squash_loses_label(recipe: Recipe) -> Iterator[Observation]:
    losses = lost_pairs(recipe, "LABEL", lambda name: name == VERSION_LABEL)
    if losses:
        names = ", ".join(dict.fromkeys(each.pair.name for each in losses))
        yield observation(
            recipe,
            [each.lost for each in losses],
            f"LABEL {names}",
            lambda place: place.pairs("LABEL", losses),
        )
