"""`hullmark explain`: the page of a rule, or of a situation that the doctor knows."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import click

from hullmark._settings.load import FILE
from hullmark._settings.options import SCHEMA
from hullmark.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._cli.session import Session
    from hullmark._settings.kinds import Table

_LEGEND = """
* `hullmark lint --fix` fixes it, some cases only with --unsafe-fixes
+ `hullmark lint --fix --unsafe-fixes` fixes it
"""


@click.command
@click.argument("rule", required=False)
@click.pass_obj
def command(session: Session, /, *, rule: str | None) -> None:
    """Show what RULE is about, why it matters and how to fix it; without RULE, list all rules.

    RULE may be a situation of `hullmark doctor --list`, or `hullmark.toml`: that lists every option of the
    configuration.
    """
    if rule == FILE:
        session.stdout.write("\n".join(_options(SCHEMA)) + "\n")
        return
    from hullmark._linters.known import EQUIVALENT, EXPLAINED, IDS, page  # noqa: PLC0415
    from hullmark.rules import TOLD_BY, catalogue  # noqa: PLC0415  # loads every rule

    by_id = {each.id: each for each in catalogue()}
    if rule is None:
        width = max(map(len, by_id))
        for each in by_id.values():
            fix = "*" if "safe" in each.fixes else "+" if each.fixes else " "
            session.stdout.write(f"{each.id:<{width}}  {each.severity!s:<7} {fix} {each.summary}\n")
        session.stdout.write(_LEGEND)
        return
    if IDS.fullmatch(rule.upper()):
        code = rule.upper()
        ours = by_id.get(EQUIVALENT.get(code, ""))
        session.stdout.write(f"{code} (hadolint{', by ShellCheck' if code.startswith('SC') else ''})\n\n")
        if text := EXPLAINED.get(code):
            session.stdout.write(f"{fill(text, 80, break_on_hyphens=False)}\n\n")
        session.stdout.write(f"Described at {page(code)}\n")
        if ours is None:
            return
        session.stdout.write("It looks for the same as this rule, and is reported with it:\n\n")
        rule = ours.id
    if rule in TOLD_BY:
        session.stdout.write(f"`{rule}` is no rule of its own: this loss is told by `{TOLD_BY[rule]}`.\n\n")
        rule = TOLD_BY[rule]
    if rule not in by_id:
        from hullmark._doctor import situations  # noqa: PLC0415  # loads every situation

        known = {each.id: each for each in situations()}
        if rule in known:
            session.stdout.write(f"{rule} (told by `hullmark doctor`)\n\n{known[rule].page}\n")
            return
        meant = nearest(rule, (*by_id, *known))
        question = f"did you mean `{meant}`?" if meant else "it may be misspelt"
        raise UsageError(
            f"no rule and no situation `{rule}`; {question}",
            hint="`hullmark explain` lists the rules, `hullmark doctor --list` the situations",
        )
    found = by_id[rule]
    told = "; fixes: " + found.fixable if found.fixes else ""
    session.stdout.write(f"{found.id} ({found.severity}, since {found.since}{told})\n\n{found.page}\n")


def _options(table: Table, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every table of the configuration with its options, as it is written in the file."""
    if path:
        name = ".".join("NAME" if key == "*" else key for key in path)
        yield f"[[{name}]]" if table.array else f"[{name}]"
        yield fill(table.help, 80, initial_indent="# ", subsequent_indent="# ")
    for option in table.options:
        notes = [f"default: {option.default}"] if option.default else []
        notes += ["required"] if option.required else []
        notes += [f"such as {option.example}"] if option.example else []
        more = f" ({', '.join(notes)})" if notes else ""
        yield f"{option.key} = {option.kind.name}"
        yield fill(
            option.help + more, 80, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
    if path:
        yield ""
    for inner in table.tables:
        yield from _options(inner, (*path, inner.key))
