"""A program crashed in native code.

What it looks like
    `exited with code 139`, `exit code: 139`, `Segmentation fault (core dumped)`.

Why it happens
    139 is 128 + 11: it read memory that is not its own. In images the usual causes are a library that does not fit
    (built for another C library or version, copied from a stage with another base), libraries that were stripped of
    more than debug symbols, and an emulator for another processor.

What to do
    Take builder and runtime from the same base and version, strip with `--strip-unneeded` only, and see whether it is
    the emulator: build and run for the platform of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a program crashed in native code",
    patterns=(
        r"^(?P<service>\S+?)(?:-\d+)? exited with code 139",
        r"did not complete successfully: exit code: 139",
        r"returned a non-zero code: 139",
        r"[Ss]egmentation fault",
        # Go reports a nil pointer of its own code as this signal; in brackets it belongs to the panic above it.
        r"(?<!\[signal )SIGSEGV",
        r"^fatal error: unexpected signal during runtime execution",
    ),
    since="0.1",
)
def segmentation_fault(symptom: Symptom) -> Advice | None:
    bases = []
    for service in symptom.patient.built(symptom.service):
        recipe = symptom.patient.recipe(service)
        named = dict.fromkeys(str(stage.root) for stage in recipe.stages) if recipe else {}
        named.pop("scratch", None)
        if len(named) > 1:
            bases.append(f"the stages of `{service.name}` have different bases: {', '.join(named)}")
    return Advice(
        cause="native code read memory that is not its own; a library that does not fit its C library or its version does so",
        found=tuple(bases),
        remedies=(
            Remedy(text="take the builder and the last stage from the same base and version"),
            Remedy(text="strip with `--strip-unneeded` only"),
            Remedy(
                text="see whether an emulator is at work",
                command=("docker", "image", "inspect", "--format", "{{.Architecture}}", "IMAGE"),
            ),
        ),
    )
