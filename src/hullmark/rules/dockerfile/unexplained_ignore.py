"""A comment accepts findings and does not say why.

What it checks
    Each `# hullmark: ignore=...` comment: it names at least one rule, and a reason follows. Without both the comment
    accepts nothing.

Why it matters
    The next reader has to decide whether the exception still holds, and can only do that when the comment says what it
    was made for.

How to fix
    Write the reason behind the rule.

    Bad:

        # hullmark: ignore=apt-recommends
        RUN apt-get update && apt-get install -y texlive && rm -rf /var/lib/apt/lists/*

    Good:

        # hullmark: ignore=apt-recommends texlive is of no use without its fonts
        RUN apt-get update && apt-get install -y texlive && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Dockerfile
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="an ignore gives no reason", severity=Severity.WARNING, since="0.1")
def unexplained_ignore(dockerfile: Dockerfile) -> Iterator[Observation]:
    for instruction in dockerfile.instructions:
        for ignore in instruction.ignores:
            names = ",".join(ignore.rules)
            if ignore.rules and ignore.reason:
                continue
            yield Observation(
                location=ignore.span,
                seen=f"`hullmark: ignore={names}` without a {'reason' if names else 'rule'}",
                expected="a rule and a reason",
                remedy=f"write `# hullmark: ignore={names or 'RULE'} {ignore.reason or 'REASON'}`",
                key=f"{instruction.keyword} {instruction.value}: {names}",
            )
