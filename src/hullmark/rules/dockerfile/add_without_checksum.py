r"""ADD takes something from the network without saying what it must be.

What it checks
    ADD of an `http://` or `https://` address: it has a `--checksum`. ADD of a Git repository: it names a commit
    (`#` and its forty digits), or has a `--checksum`.

Why it matters
    What lies at the address tomorrow is built into the image unseen. And the builder, which asks the server each time
    whether the file has changed, cannot build without it.

How to fix
    Write down the digest of what you looked at; `sha256sum` of the file gives it.

    Bad:

        ADD https://example.com/tool.tar.gz /opt/

    Good:

        ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/tool.tar.gz /opt/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hullmark.model.dockerfile import Stage
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._variables import expanded

_GIT = re.compile(r"(?:git@|git://|ssh://).*|https?://.*\.git(?:[#?].*)?")
_COMMIT = re.compile(r".*#[0-9a-f]{40}(?::.*)?|.*[?&](?:commit|checksum)=[0-9a-f]{40}.*")


@rule(summary="ADD from the network without a checksum", severity=Severity.WARNING, since="0.1")
def add_without_checksum(stage: Stage) -> Iterator[Observation]:
    for instruction in stage.instructions:
        if instruction.keyword != "ADD" or instruction.flag("checksum") is not None:
            continue
        for word in instruction.words[:-1]:
            text = expanded(word.text, stage.variables(instruction))
            git = _GIT.fullmatch(text) is not None
            if git and not _COMMIT.fullmatch(text):
                yield Observation(
                    location=word.span,
                    seen=f"`{text}` is whatever it is on the day of the build",
                    expected="a commit",
                    remedy="put the forty digits of the commit behind `#`",
                    key=text,
                )
            elif not git and text.lower().startswith(("http://", "https://")):
                yield Observation(
                    location=word.span,
                    seen=f"`{text}` is whatever the server sends on the day of the build",
                    expected="--checksum",
                    remedy="add `--checksum=sha256:DIGEST`, with what `sha256sum` says of the file",
                    key=text,
                )
