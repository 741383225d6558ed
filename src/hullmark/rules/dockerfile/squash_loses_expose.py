r"""A squash drops the ports that the image says it listens on.

What it checks
    What the stages that are flattened by `FROM scratch` and `COPY --from=STAGE / /` declare with EXPOSE, and what the stage
    that flattens them, or one built on it, declares again, port by port. `80` and `80/tcp` are the same.

Why it matters
    Proxies, `docker run -P` and people read EXPOSE to find the service. A squash copies files and nothing else.

How to fix
    Declare the ports again behind the squash.

    Bad:

        FROM python:3.13-slim AS runtime
        EXPOSE 8001
        FROM scratch
        COPY --from=runtime / /

    Good:

        FROM python:3.13-slim AS runtime
        FROM scratch
        COPY --from=runtime / /
        EXPOSE 8001
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Lost, Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._squash import declared, flattened, observation
from hullmark.rules._variables import variables_of


@rule(summary="a squash loses EXPOSE", severity=Severity.WARNING, since="0.1", fixes="safe or unsafe")
def squash_loses_expose(recipe: Recipe) -> Iterator[Observation]:
    kept = {_port(word) for _, words in declared(recipe.final, "EXPOSE") for word in words}
    losses: dict[str, tuple[Lost, str]] = {}
    copy = recipe.final.lineage[0].squash
    for stage in flattened(recipe.final):
        for instruction, words in declared(stage, "EXPOSE"):
            for word, written in zip(words, instruction.value.split(), strict=True):
                if copy is not None and _port(word) not in kept:
                    lost = Lost(stage=stage, instruction=instruction, copy=copy[0])
                    losses.setdefault(_port(word), (lost, written))
    if losses:
        ports = " ".join(
            written if variables_of(written) else port.removesuffix("/tcp")
            for port, (_, written) in losses.items()
        )
        found = tuple(losses.values())
        yield observation(
            recipe,
            [lost for lost, _ in found],
            f"EXPOSE {ports}",
            lambda place: place.values("EXPOSE", found),
        )


def _port(word: str) -> str:
    port, _, protocol = word.partition("/")
    return f"{port}/{protocol.lower() or 'tcp'}"
