r"""Commands of a RUN that no rule looks at.

What it checks
    Each RUN, in any stage that the image is made from: whether its commands can be read. They cannot where SHELL is not
    a POSIX shell (PowerShell, `cmd`), where the script in a here-document names another interpreter, and where the code
    is not what the grammar of a shell expects.

Why it matters
    Rules about installing, upgrading, deleting and secrets look at commands. What they cannot read they pass over, and
    that they found nothing says nothing then.

How to fix
    Look at it by hand, and say in a comment that somebody did. A script of some length is better off in a file of its
    own, which its own linter reads.

    Bad:

        RUN <<EOF
        #!/usr/bin/env python3
        import compileall
        compileall.compile_dir("/app")
        EOF

    Good:

        RUN python3 -m compileall /app
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Stage
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="no rule looks at the commands", severity=Severity.NOTE, since="0.1")
def unread_commands(stage: Stage) -> Iterator[Observation]:
    for instruction in stage.runs:
        if instruction.unread is not None:
            what = (
                "some of its commands are not read" if instruction.commands else "its commands are not read"
            )
            yield Observation(
                location=instruction.span,
                seen=f"{what}: {instruction.unread}",
                expected="commands that the rules about installing, deleting and secrets can look at",
                remedy="look at it by hand, and write `# hullmark: ignore=unread-commands REASON` above it",
                key=f"{stage.label}: {instruction.value}",
            )
