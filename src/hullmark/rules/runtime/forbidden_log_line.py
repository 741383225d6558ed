"""Log holds a line that it must not hold.

What it checks
    The whole log of each running service, once everything else has been tried, against `absent` of
    `[[services.NAME.logs]]` and `forbidden-logs` of `[smoke]` in `hullmark.toml`.

Why it matters
    A service can answer everything that it is asked and break behind it: a job that ends in a traceback, a connection
    that is lost and made again, a secret that is written down.

How to fix
    Correct what makes the service write it. Where the line is harmless, make the pattern say more of what is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.stack import LogRun


@rule(summary="log holds what it must not hold", severity=Severity.ERROR, since="0.1")
def forbidden_log_line(run: LogRun) -> Iterator[Observation]:
    if run.count:
        quoted = "\n".join(run.lines)
        more = f"\nand {run.count - len(run.lines)} more" if run.count > len(run.lines) else ""
        yield Observation(
            location=run.rule.origin,
            seen=f"{run.count} line{'' if run.count == 1 else 's'} with `{run.rule.pattern}`:\n{quoted}{more}",
            expected="none",
            remedy=f"correct what makes `{run.service}` write it, or make the pattern say more of what is not harmless",
            key=run.rule.pattern,
        )
