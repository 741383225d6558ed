"""The program of a health check is not in the image.

What it looks like
    In what the engine keeps of health checks: `OCI runtime exec failed: ... exec: "curl": executable file not found
    in $PATH`, or `/bin/sh: 1: curl: not found`. The container runs and is never healthy.

Why it happens
    The check calls `curl` or `wget`, and the slim base image has neither; or the squash or a clean-up removed it.

What to do
    Check with what the image has: Python, Node.js, or the program of the service itself. Or install the program.

        HEALTHCHECK --timeout=5s CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://localhost:8001/health')"]

    What the checks said is kept by the engine:

        docker inspect --format '{{json .State.Health}}' CONTAINER
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark._doctor.trace import programs
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


ASKING = ("curl", "wget", "python3", "node", "busybox", "nc", "pg_isready", "redis-cli", "bash")
"""Programs with which a service can be asked whether it works; `bash` connects through `/dev/tcp`."""


@situation(
    summary="the program of a health check is not in the image",
    patterns=(
        r"exec failed: [^\n]*?exec: \\?\"(?P<program>[^\"\\]+)\\?\": (?:executable file not found|stat \S+: no such file)",
        r"\"Output\":\s*\"(?:/bin/)?(?:sh|bash): (?:line )?(?:\d+: )?(?P<program>[\w./-]+): (?:command )?not found",
        r"[Hh]ealth ?check[^\n]*?(?P<program>[\w./-]+): (?:command )?not found",
    ),
    since="0.1",
)
def health_check_program_missing(symptom: Symptom) -> Advice | None:
    program = symptom.get("program")
    others = tuple(name for name in ASKING if name != program)
    return Advice(
        found=tuple(programs(symptom.patient, symptom.service, others)),
        cause=f"the health check calls `{program}`, and the image has no such program; the container never becomes healthy",
        remedies=(
            Remedy(
                text="check with what the image has: its Python or Node.js, or the program of the service"
            ),
            Remedy(text=f"or install `{program}` in the last stage"),
            Remedy(
                text="the linter finds such checks before a build",
                command=("hullmark", "explain", "healthcheck-program-missing"),
            ),
        ),
    )
