"""Something writes where nothing may be written.

What it looks like
    `Read-only file system`, `EROFS: read-only file system, open '/app/cache'`, `[Errno 30]`.

Why it happens
    The service runs with `read_only: true`, or the directory is mounted read-only, and the program keeps its cache,
    its process id or its temporary files there.

What to do
    Give it a directory in memory for what need not be kept, and a volume for what has to be.

        tmpfs: [/tmp, /run]
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="something writes where nothing may be written",
    patterns=(
        r"\[Errno 30\] Read-only file system: '(?P<path>[^']+)'",
        r"EROFS: read-only file system, \w+ '(?P<path>[^']+)'",
        r"['\u2018](?P<path>/[^'\u2019]+)['\u2019]: Read-only file system",
        r"(?P<path>/[^\s:]+): [Rr]ead-only file system",
        r"[Rr]ead-only file system",
    ),
    since="0.1",
)
def read_only_file_system(symptom: Symptom) -> Advice | None:
    path = symptom.get("path")
    directory = path.rpartition("/")[0] or "/"
    service = symptom.service
    read_only = service is not None and bool(symptom.patient.declared(service).get("read_only"))
    return Advice(
        cause=f"`{path}` is on a file system that is mounted read-only"
        if path
        else "a file system is mounted read-only",
        found=(f"`{service}` has `read_only: true`",) if read_only else (),
        remedies=(
            Remedy(
                text="give the service a directory in memory for what need not be kept",
                line=f"tmpfs: [{_scalar(directory)}]" if path else "tmpfs: [/tmp]",
            ),
            Remedy(text="or a volume for what has to be kept"),
        ),
    )


def _scalar(directory: str) -> str:
    """`directory` as a list of a Compose file has it: quoted where it is no plain word, and `$` is no variable."""
    plain = re.fullmatch(r"/[\w./-]*", directory)
    return directory if plain else json.dumps(directory.replace("$", "$$"))
