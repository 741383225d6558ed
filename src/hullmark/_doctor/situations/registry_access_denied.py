"""A registry does not let this account in.

What it looks like
    `pull access denied for NAME, repository does not exist or may require 'docker login'`, `unauthorized:
    authentication required`, `denied: requested access to the resource is denied`, `no basic auth credentials`,
    `insufficient_scope`.

Why it happens
    Nobody is logged in, the login has expired, the account has no right to this repository (to push is another right
    than to pull), or the repository does not exist: registries do not tell these apart on purpose.

What to do
    See whether the name is right; an image that this project builds is not pulled but built. Then log in at that
    registry.

        docker login REGISTRY
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a registry does not let this account in",
    patterns=(
        r"pull access denied for (?P<image>[^\s,]+), repository does not exist",
        r"pull access denied, repository does not exist",
        r"(?:unauthorized|denied): (?P<reason>(?:authentication required|requested access to the resource is denied|access forbidden|incorrect username or password|HTTP Basic: Access denied)[^\n\"]{0,80})",
        r"^(?:docker: )?Error response from daemon: (?P<reason>denied)$",
        r"no basic auth credentials",
        r"insufficient_scope",
        r"failed to authorize: ",
        r"unexpected status from (?:HEAD|GET|POST|PUT) request to [^\n]*: 40[13] ",
    ),
    since="0.1",
)
def registry_access_denied(symptom: Symptom) -> Advice | None:
    image = symptom.get("image")
    project = symptom.patient.project
    ours = [each.name for each in project.built if each.image == image] if project and image else []
    if ours:
        return Advice(
            cause=f"`{image}` is built by this project and is not in a registry",
            remedies=(
                Remedy(text="build it first", command=("docker", "compose", "build", *operand(ours[0]))),
            ),
        )
    host = image.partition("/")[0] if "." in image.partition("/")[0] or ":" in image.partition("/")[0] else ""
    return Advice(
        cause="the registry knows no account, or one without the right to this repository; it says the same of a repository that does not exist",
        remedies=(
            Remedy(
                text="see whether the name is right: an image without a host is one of the default registry"
            ),
            Remedy(text="log in there", command=("docker", "login", *(operand(host) if host else ()))),
        ),
    )
