"""Looks through every byte of an image for secrets, and says how to get rid of what it finds."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from hullmark._checks.findings import apply
from hullmark._contents.secrets import find_secrets
from hullmark._secrets.recorded import recorded
from hullmark.model.location import ImageConfig, ImagePath
from hullmark.model.outcome import Check, Ran, Skipped
from hullmark.model.secret import ExposedSecret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._checks.run import Run
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.outcome import Outcome
    from hullmark.model.project import Service
    from hullmark.model.secret import Scan, Secret, SecretPolicy


def look_for_secrets(run: Run, service: Service) -> Outcome:
    """The secrets in the image of `service`: in its files, in what its layers hide, in what it says of itself."""
    if reason := run.failed_builds().get(service.name):
        return Skipped(reason=reason)
    run.surroundings.progress.begin(Check.SECRETS, service.name, "looking through every byte")
    anatomy = run.anatomy(service)
    policy = run.project.settings.secrets
    scan = find_secrets(anatomy.files, anatomy.ownership)
    everything = (*scan.secrets, *recorded(anatomy.image))
    wanted = [each for each in everything if not policy.off(each.whereabouts, each.likeness.format)]
    findings = tuple(
        finding for exposed in exposed_in(anatomy, wanted, policy) for finding in apply(exposed, service.name)
    )
    today = dt.datetime.now(dt.UTC).date()
    allowed = sum(policy.allows(each.likeness, today) for each in wanted)
    # What is allowed is taken out with what is ignored, where it is seen which entries are needed.
    return Ran(findings=findings, note=noted(scan, allowed=allowed))


def exposed_in(anatomy: Anatomy, secrets: Iterable[Secret], policy: SecretPolicy) -> Iterator[ExposedSecret]:
    """`secrets`, of the image that `anatomy` is of, as the rules look at them."""
    image = anatomy.image
    for secret in secrets:
        severity = policy.severity(secret.whereabouts, secret.likeness.format)
        if secret.layer is None:
            yield ExposedSecret(
                secret=secret,
                image=image.reference,
                layers=len(image.layers),
                location=ImageConfig(image=image.reference, key=secret.key),
                severity=severity,
            )
            continue
        yield ExposedSecret(
            secret=secret,
            image=image.reference,
            layers=len(image.layers),
            location=ImagePath(image=image.reference, path=secret.path, layer=secret.layer),
            severity=severity,
            written=anatomy.attribution.origin(secret.layer, secret.row),
            hidden=anatomy.hider(secret.layer, secret.row),
        )


def noted(scan: Scan, *, allowed: int = 0) -> str:
    """What was found and is no finding, and what nobody looked into; empty where there is nothing of that."""
    told = []
    if allowed:
        told.append(f"{_counted(allowed, 'secret')} allowed by hash")
    if scan.packaged:
        owners = sorted({str(each.package) for each in scan.packaged})
        told.append(f"{_counted(len(scan.packaged), 'secret')} of packages ({', '.join(owners)})")
    if scan.archives:
        told.append(f"{_counted(scan.archives, 'archive')} not unpacked")
    if scan.dropped:
        told.append(f"{scan.dropped} more than are kept of one layer")
    return f"ok; {', '.join(told)}" if told else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
