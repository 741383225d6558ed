"""`hullmark explain`: the page of a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark.errors import UsageError, nearest

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.argument("rule", required=False)
@click.pass_obj
def command(session: Session, /, *, rule: str | None) -> None:
    """Show what RULE is about, why it matters and how to fix it; without RULE, list all rules."""
    from hullmark.rules import catalogue  # noqa: PLC0415  # loads every rule

    by_id = {each.id: each for each in catalogue()}
    if rule is None:
        width = max(map(len, by_id))
        for each in by_id.values():
            session.stdout.write(f"{each.id:<{width}}  {each.severity!s:<7}  {each.summary}\n")
        return
    if rule not in by_id:
        meant = nearest(rule, by_id)
        question = f"did you mean `{meant}`?" if meant else "it may be misspelt"
        raise UsageError(f"no rule `{rule}`; {question}", hint="`hullmark explain` lists them all")
    found = by_id[rule]
    session.stdout.write(f"{found.id} ({found.severity}, since {found.since})\n\n{found.page}\n")
