"""A program is for another kind of processor.

What it looks like
    `exec format error`, or `exec /usr/local/bin/app: exec format error` when a container starts.

Why it happens
    The image, or a program that was copied or downloaded into it, is for another architecture than the engine's:
    built on an ARM laptop and started on an AMD64 server, or a download with `amd64` written into its address. A
    script without a first line `#!/bin/sh` is refused with the same words.

What to do
    Build for the platform that it runs on, and take the architecture of downloads from the arguments that BuildKit
    sets.

        ARG TARGETARCH
        ADD https://example.com/app-linux-${TARGETARCH} /usr/local/bin/app

    To run the image as it is, register an emulator (`qemu-user-static` with binfmt).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.patient import head
from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a program is for another kind of processor",
    patterns=(
        r"exec (?P<program>\S+): exec format error",
        r"exec: \"(?P<program>[^\"]+)\": [^\n]*exec format error",
        r"(?:^|: )(?P<program>[^\s:]+): (?:cannot execute binary file: )?[Ee]xec format error",
        r"Exec format error: '(?P<program>[^']+)'",
    ),
    since="0.1",
)
def wrong_platform(symptom: Symptom) -> Advice | None:
    program = symptom.get("program").strip("\"'")
    files = symptom.patient.in_contexts(program, symptom.service)
    script = next((file for file in files if not head(file, 4).startswith((b"\x7fELF", b"#!"))), None)
    if script is not None:
        return Advice(
            cause=f"`{program}` is a script without a first line that names its interpreter",
            found=(f"`{script.name}` in the build context begins with neither `#!` nor an ELF header",),
            remedies=(Remedy(text="begin it with `#!/bin/sh`, or the interpreter that it is for"),),
        )
    return Advice(
        cause=f"the processor of the engine does not know the instructions that `{program}` is made of",
        remedies=(
            Remedy(
                text="see what the image is for",
                command=("docker", "image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", "IMAGE"),
            ),
            Remedy(
                text="build it for the platform that it runs on",
                command=("docker", "buildx", "build", "--platform", "linux/amd64,linux/arm64", "."),
            ),
            Remedy(text="take downloads for `$TARGETARCH` instead of a fixed architecture"),
        ),
    )
