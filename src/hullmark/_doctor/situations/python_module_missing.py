"""A Python module is not there at run time.

What it looks like
    `ModuleNotFoundError: No module named 'structlog'`, in the output of a container or of a RUN.

Why it happens
    The package was installed in a stage and did not get into the image: no COPY takes its directory along, the Python
    of the last stage looks elsewhere (another version, no virtual environment on PATH), or a clean-up removed it. Or
    nobody declares it: it came along with another package and does not any more.

What to do
    The doctor looks into the image and into the stages it is copied from, and says which stage has the module, which
    COPY leaves it out, or which instruction removes it. Copy the directory that packages are installed in as a whole,
    and keep `.dist-info` beside it: some packages read their own metadata.

        COPY --from=builder /opt/venv /opt/venv
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.modules import pruning, python_module
from hullmark._doctor.situation import situation
from hullmark._doctor.trace import trace
from hullmark.model.diagnosis import Advice, Remedy, operand
from hullmark.rules._pruned import PYTHON

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a Python module is not there at run time",
    patterns=(
        r"ModuleNotFoundError: No module named '(?P<module>[\w.]+)'",
        r"^\S*python[\d.]*: No module named (?P<module>[\w.]+)",
        r"importlib\.metadata\.PackageNotFoundError: (?:No package metadata was found for )?(?P<distribution>[\w.-]+)",
    ),
    since="0.1",
)
def python_module_missing(symptom: Symptom) -> Advice | None:
    distribution = symptom.get("distribution")
    if distribution:
        name = distribution
        cause = f"the metadata of `{name}` (its `.dist-info` directory) is not in the image, and the package reads it"
    else:
        name = symptom.get("module").partition(".")[0]
        cause = f"the Python that runs finds no module `{name}` in the directories where it looks"
    patient, service = symptom.patient, symptom.service
    found = (*trace(patient, service, python_module(name)), *pruning(patient, service, PYTHON, name))
    if not found and patient.has_images and patient.built(service):
        found = (f"neither the image nor a stage that it is copied from has `{name}`",)
    run = ("docker", "compose", "run", "--rm", "--no-deps", "--entrypoint", "python3")
    script = "import sys; print(sys.path)"
    return Advice(
        cause=cause,
        found=found,
        remedies=(
            Remedy(
                text="copy the whole directory of packages out of the stage that installs them, `.dist-info` included"
            ),
            Remedy(text="declare it in pyproject.toml or requirements.txt where nobody does"),
            Remedy(
                text="see where this Python looks",
                command=(*run, *operand(service or "SERVICE"), "-c", script),
            ),
        ),
    )
