"""`hullmark scan`: secrets and known vulnerabilities in the built images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options
from hullmark.errors import UsageError
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._cli.session import Session
    from hullmark.model.verdict import Policy


@click.command
@options.services
@click.option("--build", is_flag=True, help="Build the images first.")
@click.option(
    "--sbom",
    "document",
    metavar="DOCUMENT",
    help="Scan what this CycloneDX or SPDX document lists, a file or attested of an image, instead of the image of SERVICE.",
)
@options.stage_images
@options.project
@options.settings("scan.fail-on", "scan.scanner", "scan.db-max-age")
@click.option("--show-suppressed", is_flag=True, help="List what is ignored, and why.")
@options.reporting
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    services: tuple[str, ...],
    build: bool,
    document: str | None,
    show_suppressed: bool,
    **output: Any,
) -> int:
    """Look for secrets in the built images, and for known vulnerabilities.

    Secrets are looked for in every byte of every layer, in the configuration and in the history; see `[secrets]`.
    Vulnerabilities are looked up in what `hullmark db update` has stored, or asked of Trivy, Grype or osv-scanner.
    They fail only where `--scan-fail-on` says so. With `--sbom` no image is needed, and no secrets are looked for. A scan that could not be made is exit 3, nothing to scan is exit 4.
    """
    from hullmark._cli.checking import check  # noqa: PLC0415  # loaded when it is called, not for the help

    if document is not None and build:
        raise UsageError("`--build` makes an image, and with `--sbom` none is scanned")
    checks = [Check.SCAN] if document else [*([Check.BUILD] if build else []), Check.SECRETS, Check.SCAN]
    return check(
        session,
        services,
        checks,
        policy=_asked_for,
        suppressed=show_suppressed,
        document=document,
        **output,
    )


def _asked_for(policy: Policy) -> Policy:
    """`check` may go without a scan that does not decide; who asks for a scan wants to know that there was none."""
    return replace(policy, required=policy.required | {Check.SCAN}, asked=frozenset({Check.SCAN}))
