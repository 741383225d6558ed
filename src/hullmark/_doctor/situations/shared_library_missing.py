"""A shared library is not in the image.

What it looks like
    `error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory`, as
    an `ImportError` in Python, or `Error loading shared library libpq.so.5` with musl.

Why it happens
    The program was linked in a stage that has the library, and the last stage has not: the package that brings it was
    installed in the builder only (often as `-dev`), or a strip or clean-up step removed `*.so` files.

What to do
    Install the package that brings the library in the stage that runs, or copy the library along. Strip libraries
    instead of removing them. `hullmark validate` finds every library that is missing, with the programs that need it.

        RUN apt-get update && apt-get install -y --no-install-recommends libpq5
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.modules import library, stripping
from hullmark._doctor.situation import situation
from hullmark._doctor.trace import trace
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a shared library is not in the image",
    patterns=(
        r"(?:^(?P<program>\S+): )?error while loading shared libraries: (?P<library>\S+): cannot open shared object",
        r"ImportError: (?P<library>\S+): cannot open shared object file",
        r"Error loading shared library (?P<library>\S+?):[^\n]*(?:needed by (?P<program>\S+)\))?",
        r"OSError: (?P<library>\S+\.so\S*): cannot open shared object file",
        r"Error: (?P<library>\S+\.so\S*): cannot open shared object file",
    ),
    since="0.1",
)
def shared_library_missing(symptom: Symptom) -> Advice | None:
    name = symptom.get("library")
    program = symptom.get("program")
    patient, service = symptom.patient, symptom.service
    return Advice(
        cause=f"{f'`{program}`' if program else 'what is started'} needs `{name}`, and the image has it in no directory where the loader looks",
        found=(*trace(patient, service, library(name)), *stripping(patient, service)),
        remedies=(
            Remedy(
                text="see which package brings it, and install that in the stage that runs",
                command=("apt-file", "search", *operand(name)),
            ),
            Remedy(text="strip libraries (`strip --strip-unneeded`) instead of removing them"),
            Remedy(
                text="find everything that is missing",
                command=("hullmark", "validate", *(operand(service) if service else ())),
            ),
        ),
    )
