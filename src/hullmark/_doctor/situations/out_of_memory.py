"""A process was killed, most likely for want of memory.

What it looks like
    `exited with code 137`, `exit code: 137`, `Killed`, `"OOMKilled": true`, `JavaScript heap out of memory`,
    `MemoryError`, `Cannot allocate memory`.

Why it happens
    The kernel ends what needs more memory than the limit of the container, or than the machine has. 137 is 128 + 9,
    the signal that cannot be caught; Compose sends it as well, to what does not stop within ten seconds of being
    asked to.

What to do
    See what it uses while it runs, and give it more, or have it use less: fewer workers, a smaller heap, a build with
    fewer jobs.

        docker stats --no-stream

        docker inspect --format '{{.State.OOMKilled}}' CONTAINER

    If it was being stopped, see why it does not end when asked: `hullmark explain shell-form-entrypoint`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a process was killed, most likely for want of memory",
    patterns=(
        r"^(?P<service>\S+?)(?:-\d+)? exited with code 137",
        r"did not complete successfully: exit code: 137(?:: (?:context canceled|[^\n]*memory)[^\n]*)?",
        r"returned a non-zero code: 137",
        r"\"?OOMKilled\"?: ?true",
        r"(?P<heap>JavaScript heap out of memory)",
        r"^(?:\S+: line \d+: +\d+ )?Killed\b",
        r"^MemoryError\b",
        r"[Cc]annot allocate memory",
        r"signal: killed",
        r"virtual memory exhausted",
    ),
    since="0.1",
)
def out_of_memory(symptom: Symptom) -> Advice | None:
    declared = symptom.patient.declared(symptom.service) if symptom.service else {}
    limit = declared.get("mem_limit") or (
        ((declared.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    ).get("memory")
    found = (f"`{symptom.service}` may use {int(limit):,} bytes",) if limit and str(limit).isdecimal() else ()
    if symptom.get("heap"):
        return Advice(
            cause="the heap of Node.js is full; its limit is derived from the memory it sees, and may be lower than what the container may use",
            found=found,
            remedies=(Remedy(text="give it more", line="NODE_OPTIONS=--max-old-space-size=2048"),),
        )
    return Advice(
        cause="the kernel ended it because there was no memory left for it, or it was stopped and did not end in time",
        found=found,
        remedies=(
            Remedy(
                text="see which it was",
                command=(
                    "docker",
                    "inspect",
                    "--format",
                    "{{.State.OOMKilled}} {{.State.ExitCode}}",
                    "CONTAINER",
                ),
            ),
            Remedy(text="see what it uses", command=("docker", "stats", "--no-stream")),
            Remedy(text="give it more (`mem_limit`), or have it use less: fewer workers or jobs"),
        ),
    )
