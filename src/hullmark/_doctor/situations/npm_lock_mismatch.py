"""The lock file of npm does not fit package.json.

What it looks like
    `npm ci can only install packages when your package.json and package-lock.json are in sync`, `Missing:
    left-pad@1.3.0 from lock file`, `The npm ci command can only install with an existing package-lock.json`,
    `ERR_PNPM_OUTDATED_LOCKFILE`.

Why it happens
    package.json was changed and the lock file was not committed with it; or it is not copied into the build, or an
    ignore file leaves it out.

What to do
    Write the lock file anew, commit it, and copy both files before `npm ci`.

        npm install --package-lock-only

        COPY package.json package-lock.json ./
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="the lock file of npm does not fit package.json",
    patterns=(
        r"npm ci` can only install packages when your package\.json and package-lock\.json",
        r"Missing: (?P<package>\S+) from lock file",
        r"(?P<absent>can only install with an existing package-lock\.json)",
        r"ERR_PNPM_OUTDATED_LOCKFILE|ERR_PNPM_NO_LOCKFILE",
        r"lockfile had changes, but lockfile is frozen|Your lockfile needs to be updated",
    ),
    since="0.1",
)
def npm_lock_mismatch(symptom: Symptom) -> Advice | None:
    if symptom.get("absent"):
        return Advice(
            cause="there is no package-lock.json in the step: it is not committed, not copied, or an ignore file leaves it out",
            remedies=(
                Remedy(text="copy both files before `npm ci`", line="COPY package.json package-lock.json ./"),
            ),
        )
    package = symptom.get("package")
    return Advice(
        cause=f"package.json asks for what the lock file does not know{f': {package}' if package else ''}",
        remedies=(
            Remedy(
                text="write the lock file anew, and commit it",
                command=("npm", "install", "--package-lock-only"),
            ),
        ),
    )
