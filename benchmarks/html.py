"""How long the HTML report of five services with 300,000 files takes to be made, and how large it is.

Measured is what is done for that report alone: the map of each image, and the page. The images have been read and
attributed before. The floor is one walk over the same files that adds up their sizes. At most 3 s and 8 MB are aimed
at; ends with exit status 1 when it is more.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import time
from typing import TYPE_CHECKING

from hullmark._anatomy import dissect
from hullmark._contents.boxes import boxes
from hullmark._contents.summary import visible_files
from hullmark._reporters import Style, render
from hullmark.model.finding import Finding, Severity
from hullmark.model.location import ImagePath
from hullmark.model.outcome import Check, CheckResult, Ran
from hullmark.model.report import ImageSummary, LayerSummary, Report
from hullmark.model.verdict import Policy, decide
from hullmark.testing import synthetic_image

if TYPE_CHECKING:
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.image import Image

FILES = 300_000
SERVICES = 5
ROUNDS = 5
FINDINGS = 400
SECONDS = 3.0
BYTES = 8_000_000


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=FILES, help="of all images (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="(default: %(default)s)")
    chosen = parser.parse_args()
    rng = random.Random(7)  # noqa: S311  # sizes and names
    known = {f"service-{n}": dissect(_image(rng, chosen.files // SERVICES)) for n in range(SERVICES)}
    times: list[float] = []
    floors: list[float] = []
    size = 0
    for _ in range(chosen.rounds):
        started = time.perf_counter()
        page = "".join(render("html", _report(known), Style()))
        times.append(time.perf_counter() - started)
        started = time.perf_counter()
        for anatomy in known.values():
            sum(anatomy.files.sizes[inode] for _, _, inode in visible_files(anatomy.files))
        floors.append(time.perf_counter() - started)
        size = len(page.encode())
    taken, floor = statistics.median(times), statistics.median(floors)
    print(
        f"HTML report of {SERVICES} services, {chosen.files:,} files: {taken:.2f} s (goal: {SECONDS:g} s), "
        f"{taken / floor:.1f} x of one walk over them; {size / 1e6:.2f} MB (goal: {BYTES / 1e6:g} MB)"
    )
    return int(taken > SECONDS or size > BYTES)


def _image(rng: random.Random, files: int) -> Image:
    """Ten layers of packages, their files as different in size as files are."""
    return synthetic_image(
        layers=[
            {
                f"/opt/part-{layer}/package-{number // 60}/{number // 20 % 3}/file-{number}.py": int(
                    rng.lognormvariate(8, 2)
                )
                for number in range(files // 10)
            }
            for layer in range(10)
        ]
    )


def _report(known: dict[str, Anatomy]) -> Report:
    results = tuple(
        CheckResult(
            check=Check.VALIDATE, service=service, outcome=Ran(findings=_findings(service)), seconds=1.0
        )
        for service in known
    )
    now = dt.datetime.now(dt.UTC)
    return Report(
        project="benchmark",
        root="/benchmark",
        services=tuple(known),
        checks=(Check.VALIDATE,),
        started=now,
        finished=now,
        verdict=decide(results, Policy()),
        results=results,
        images=tuple(_summary(service, anatomy) for service, anatomy in known.items()),
    )


def _summary(service: str, anatomy: Anatomy) -> ImageSummary:
    return ImageSummary(
        service=service,
        reference=f"{service}:dev",
        config_digest=str(anatomy.image.config_digest),
        platform=anatomy.image.platform,
        unpacked=anatomy.files.unpacked,
        visible=anatomy.files.visible_bytes,
        budget=None,
        layers=tuple(
            LayerSummary(
                diff_id=str(layer.diff_id), unpacked=layer.unpacked, masked=0, instruction=f"RUN step {at}"
            )
            for at, layer in enumerate(anatomy.image.layers)
        ),
        owners=anatomy.owners,
        boxes=boxes(anatomy.files, anatomy.ownership, anatomy.attribution),
    )


def _findings(service: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            rule="world-writable-path",
            summary="file that everybody may write to",
            severity=Severity.WARNING,
            service=service,
            location=ImagePath(image=f"{service}:dev", path=f"/opt/part-0/file-{number}.py", layer=0),
            seen="mode 0666",
            expected="mode 0644",
            remedy="`chmod 644` where it is made",
            fingerprint=f"{number:016x}",
        )
        for number in range(FINDINGS)
    )


if __name__ == "__main__":
    raise SystemExit(main())
