"""Python package that is required and missing or incomplete.

What it checks
    The Python packages of the final file system: what each of them requires, for the image's Python and platform, is
    there in a version that fits, and has the modules and files that it was installed with. What the application itself
    requires is taken from the files that say so, such as `requirements.txt`, where they are in the image.
    What fails as soon as the package is imported is an error, what probably fails a warning.

Why it matters
    A strip that removes `tests`, `*.dist-info` or a whole package too many leaves an image that builds, and that fails
    on its first request.

How to fix
    Install the package in the stage that is shipped, or leave out of the strip what is needed:

        RUN find /opt/venv -name tests -not -path '*/numpy/*' -exec rm -rf {} +
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.rule import rule
from hullmark.rules._missing import missing_packages


@rule(summary="Python package is missing or incomplete", severity=Severity.ERROR, since="0.1")
def missing_python_package(shipped: ShippedImage) -> Iterator[Observation]:
    return missing_packages(
        shipped,
        kind="python",
        remedy=lambda name: (
            f"install `{name}` in the stage that is shipped, or keep what a strip took from it"
        ),
    )
