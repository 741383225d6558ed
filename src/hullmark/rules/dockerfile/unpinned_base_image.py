r"""Base image may be another one tomorrow.

What it checks
    The images that the stages of a build start from or copy out of: without a tag, or with `latest`, it is a warning;
    with a tag but no digest a note. Images that the project builds itself, named contexts, and images whose name comes
    from a variable without a value are passed over.

Why it matters
    A tag is moved to new images. The build that was tested and the one that is released an hour later start from
    different files, and nothing in the repository says so.

How to fix
    Write the digest behind the tag, and let a bot raise both. An image that is made on the machine itself has no digest
    to write; say so in a comment above the FROM: `# hullmark: ignore=unpinned-base-image made by scripts/base-images`.

    Bad:

        FROM python

    Good:

        FROM python:3.13-slim@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.dockerfile import ImageBase
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Applicability, Fix, replacement
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Recipe, Stage

_DIGEST = re.compile(r"@sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$")


@rule(summary="base image is not pinned", severity=Severity.NOTE, since="0.1", fixes="unsafe")
def unpinned_base_image(deployment: Deployment) -> Iterator[Observation]:
    known = dict(deployment.digests)
    own = {_familiar(name) for name in deployment.own}
    for stage in deployment.recipe.stages:
        for instruction, base in _bases(stage):
            reference = base.reference
            if (
                base.unresolved
                or "$" in reference
                or _DIGEST.search(reference)
                or _familiar(reference) in own
            ):
                continue
            tag = reference.rpartition("/")[2].partition(":")[2]
            digest = known.get(reference)
            pinned = f"{reference}@{digest}" if digest else ""
            yield Observation(
                location=instruction.span,
                seen=f"`{reference}` {'can become another image' if tag else 'has no tag, which is `latest`'}",
                expected="a tag and a digest",
                remedy=f"write `{pinned}`"
                if pinned
                else f"write its digest behind it; `docker buildx imagetools inspect {reference}` shows it",
                severity=None if tag and tag != "latest" else Severity.WARNING,
                key=reference,
                fix=_fix(deployment.recipe, instruction, base, pinned),
            )


def _bases(stage: Stage) -> Iterator[tuple[Instruction, ImageBase]]:
    if isinstance(stage.base, ImageBase):
        yield stage.opening, stage.base
    for instruction in stage.instructions:
        for source in (instruction.source, *(mount.source for mount in instruction.mounts)):
            if isinstance(source, ImageBase):
                yield instruction, source


def _familiar(reference: str) -> str:
    """The name without what goes without saying."""
    return reference.removeprefix("docker.io/").removeprefix("library/").removesuffix(":latest").lower()


def _fix(recipe: Recipe, instruction: Instruction, base: ImageBase, pinned: str) -> Fix | None:
    """Writes the digest, where the name stands in a FROM as it is and only once."""
    if not pinned or instruction.keyword != "FROM" or base.raw != base.reference:
        return None
    text = recipe.dockerfile.excerpt(instruction.span)
    found = [match.start() for match in re.finditer(rf"(?<!\S){re.escape(base.raw)}(?!\S)", text)]
    if "\n" in text or len(found) != 1:
        return None
    start = instruction.span.column + found[0]
    place = replace(
        instruction.span, column=start, end_line=instruction.span.line, end_column=start + len(base.raw)
    )
    # What was meant may be to follow the tag.
    return Fix(
        message=f"pin {base.raw}", edits=(replacement(place, pinned),), applicability=Applicability.UNSAFE
    )
