"""Ignore that ignores nothing.

What it checks
    Each `[[ignore.findings]]` of `hullmark.toml`, and each comment `# hullmark: ignore=RULE reason`: whether there is
    such a rule, and it covers a finding of this run and has not expired. That it covers nothing is told when the check
    that the rule belongs to has run for the whole project; that it has expired, by every run; what is wrong with a
    comment, when the Dockerfile is linted. The same goes for what `allow` of `[secrets]` names, which covers nothing
    when neither the images nor the files of the project have it.

Why it matters
    What is ignored was decided for a reason. When the reason is gone the ignore stays, and hides the next defect of
    that kind.

How to fix
    Remove it; move a comment that stands above another instruction than the finding. Of one that has expired, decide
    again: remove it, or give it a later `expires`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.ignore import IdleIgnore
from hullmark.model.rule import rule


@rule(summary="an ignore covers nothing", severity=Severity.WARNING, since="0.1")
def unused_ignore(ignore: IdleIgnore) -> Iterator[Observation]:
    where = f" in `{ignore.service}`" if ignore.service else ""
    what = f"the ignore of `{ignore.rule}`{where}"
    if ignore.narrowed:
        what += f" ({ignore.narrowed})"
    if not ignore.rule:
        what = f"the allowance of {ignore.narrowed}"
    if ignore.expired is not None:
        seen, remedy = (
            f"{what} expired on {ignore.expired}",
            "decide again: remove it, or set a later `expires`",
        )
    elif ignore.unknown:
        seen = f"there is no rule `{ignore.rule}`, so that the comment ignores nothing"
        remedy = (
            f"write `{ignore.nearest}`, if that was meant"
            if ignore.nearest
            else "remove it; `hullmark explain` lists the rules"
        )
    elif ignore.misplaced:
        seen = f"`{ignore.rule}` does not look at Dockerfiles, so that no comment ignores it"
        remedy = "move it to `[[ignore.findings]]` in hullmark.toml"
    elif ignore.elsewhere is not None:
        seen, remedy = (
            f"`{ignore.rule}` was found at line {ignore.elsewhere}, where this comment does not count",
            f"move the comment above the instruction at line {ignore.elsewhere}",
        )
    else:
        seen, remedy = f"nothing was found that {what} covers", "remove it"
    yield Observation(
        location=ignore.span,
        seen=seen,
        expected="ignores that are still needed",
        remedy=remedy,
        key=f"{ignore.rule} {ignore.service or ''}{ignore.narrowed}",
    )
