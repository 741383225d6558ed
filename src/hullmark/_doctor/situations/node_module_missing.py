"""A Node.js module is not there at run time.

What it looks like
    `Error: Cannot find module 'left-pad'` with `MODULE_NOT_FOUND`, or `Error [ERR_MODULE_NOT_FOUND]: Cannot find
    package 'left-pad' imported from /app/server.mjs`.

Why it happens
    The package is a development dependency, and the image has only those for production; a pruning step removes its
    directory by name; no COPY takes `node_modules` along; or a file of the application itself, named by a relative
    path, is not copied.

What to do
    The doctor looks into the image and into the stages it is copied from, into package.json, and at commands that
    remove packages by name. List what runs in production under `dependencies`, and take its name out of the `rm -rf`
    of the pruning stage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.modules import declared_for_development, node_package, package_of, pruning
from hullmark._doctor.situation import situation
from hullmark._doctor.trace import trace
from hullmark.model.diagnosis import Advice, Remedy, operand
from hullmark.rules._pruned import NPM

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a Node.js module is not there at run time",
    patterns=(r"Cannot find (?:module|package) '(?P<module>[^']+)'(?: imported from (?P<importer>\S+))?",),
    since="0.1",
)
def node_module_missing(symptom: Symptom) -> Advice | None:
    module = symptom.get("module")
    patient, service = symptom.patient, symptom.service
    if module.startswith((".", "/", "file:")):
        return Advice(
            cause=f"the file `{module}` of the application itself is not in the image",
            remedies=(Remedy(text="copy it, or the directory that the build writes, into the last stage"),),
        )
    name = package_of(module)
    found = (
        *trace(patient, service, node_package(name)),
        *pruning(patient, service, NPM, name),
        *declared_for_development(patient, service, name),
    )
    if not found and patient.has_images and patient.built(service):
        found = (f"neither the image nor a stage that it is copied from has `{name}`",)
    return Advice(
        cause=f"Node.js finds no package `{name}` in the `node_modules` at or above the file that asks for it",
        found=found,
        remedies=(
            Remedy(
                text="list it under `dependencies`, not `devDependencies`",
                command=("npm", "install", "--save-prod", *operand(name)),
            ),
            Remedy(text="leave its directory alone in the step that prunes `node_modules`"),
        ),
    )
