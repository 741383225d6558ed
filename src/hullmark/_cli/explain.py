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
    from textwrap import fill  # noqa: PLC0415  # loads every rule, as the next two do

    from hullmark._linters.known import EQUIVALENT, EXPLAINED, IDS, page  # noqa: PLC0415
    from hullmark.rules import catalogue  # noqa: PLC0415

    by_id = {each.id: each for each in catalogue()}
    if rule is None:
        width = max(map(len, by_id))
        for each in by_id.values():
            session.stdout.write(f"{each.id:<{width}}  {each.severity!s:<7}  {each.summary}\n")
        return
    if IDS.fullmatch(rule.upper()):
        code = rule.upper()
        ours = by_id.get(EQUIVALENT.get(code, ""))
        session.stdout.write(f"{code} (hadolint{', by ShellCheck' if code.startswith('SC') else ''})\n\n")
        if text := EXPLAINED.get(code):
            session.stdout.write(f"{fill(text, 80)}\n\n")
        session.stdout.write(f"Described at {page(code)}\n")
        if ours is None:
            return
        session.stdout.write("It looks for the same as this rule, and is reported with it:\n\n")
        rule = ours.id
    if rule not in by_id:
        meant = nearest(rule, by_id)
        question = f"did you mean `{meant}`?" if meant else "it may be misspelt"
        raise UsageError(f"no rule `{rule}`; {question}", hint="`hullmark explain` lists them all")
    found = by_id[rule]
    session.stdout.write(f"{found.id} ({found.severity}, since {found.since})\n\n{found.page}\n")
