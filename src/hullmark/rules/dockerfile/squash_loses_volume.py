r"""A squash drops volumes.

What it checks
    What the stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /` declare with VOLUME, and what the stage
    that flattens them, or one built on it, declares again, path by path.

Why it matters
    Without VOLUME the data of a container that is started without one lies in its own layer and is gone with it. A
    squash copies files and nothing else.

How to fix
    Declare the volumes again behind the squash.

    Bad:

        FROM debian:12 AS runtime
        RUN mkdir /data
        VOLUME /data
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM debian:12 AS runtime
        RUN mkdir /data
        FROM scratch
        COPY --from=runtime / /
        VOLUME /data
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Lost, Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import declared, flattened, observation
from hullmark.rules._squash_place import words_of


@rule(summary="a squash loses VOLUME", severity=Severity.WARNING, since="0.1", fixes="safe or unsafe")
def squash_loses_volume(recipe: Recipe) -> Iterator[Observation]:
    kept = {_path(word) for _, words in declared(recipe.final, "VOLUME") for word in words}
    losses: dict[str, tuple[Lost, str]] = {}
    copy = recipe.final.lineage[0].squash
    for stage in flattened(recipe.final):
        for instruction, words in declared(stage, "VOLUME"):
            written = instruction.value.split() if instruction.json is None else instruction.json
            for word, text in zip(words, written, strict=True):
                if copy is not None and _path(word) not in kept:
                    lost = Lost(stage=stage, instruction=instruction, copy=copy[0])
                    losses.setdefault(_path(word), (lost, text))
    if losses:
        found = tuple(losses.values())
        yield observation(
            recipe,
            [lost for lost, _ in found],
            f"VOLUME {words_of(losses)}",
            lambda place: place.values("VOLUME", found),
        )


def _path(word: str) -> str:
    return word.strip("\"'").rstrip("/") or "/"
