"""Releases with one image among good ones that may not be published: then none of them is."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import FOREIGN, NATIVE, SETTINGS, stage, stored, till
from tests.vulnerabilities.conftest import record

from hullmark._cli import main
from hullmark._release.publish import publish
from hullmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.release.conftest import Shop

BUDGETED = f"""\
{SETTINGS.replace('"never"', '"critical"')}smoke = false

[services.api]
budget = "30 kB"
"""


def _known(shop: Shop, tmp_path: Path, severity: str) -> dict[str, str]:
    """The environment in which one vulnerability is known, of the package that all of the images have."""
    known = record("GHSA-till-till-till", "till", database_specific={"severity": severity})
    # The record is as old as its date, however new the store is.
    return {
        **shop.environ,
        "HULLMARK_CACHE_DIR": str(stored(tmp_path / severity, [known])),
        "HULLMARK_DB_MAX_AGE": "9999 days",
    }


def _gate(shop: Shop, environ: Mapping[str, str]) -> tuple[int, dict[str, Any], str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = ["-C", str(shop.root), "release", "gate", "1.4.0", "--format", "json"]
    code = main(argv, stdout=stdout, stderr=stderr, environ=dict(environ))
    return code, json.loads(stdout.getvalue() or "{}"), stderr.getvalue()


def _images(poison: str) -> Any:
    """What the images have: all of them a package, and one of them too much where that is the poison."""

    def files(service: str, platform: str) -> dict[str, bytes]:
        heavy = poison == "budget" and (service, platform) == ("api", FOREIGN)
        return {**till("1.0"), **({"opt/heavy": bytes(40_000)} if heavy else {})}

    return files


@pytest.mark.parametrize("poison", ["budget", "vulnerability"])
def test_one_image_that_is_too_large_or_has_a_critical_vulnerability_keeps_all_from_being_published(
    shop: Shop, tmp_path: Path, poison: str
) -> None:
    shop.write("hullmark.toml", BUDGETED)
    harmless = _known(shop, tmp_path, "HIGH")
    with shop.release("1.4.0") as release:
        stage(release, poison, passed=False, files=_images(poison))
        release.share(release.state.platforms)
    environ = _known(shop, tmp_path, "CRITICAL") if poison == "vulnerability" else harmless
    code, report, said = _gate(shop, environ)
    assert code == 1, said
    passed = {each["platform"]: each["passed"] for each in report["gate"]}
    findings = [finding for each in report["gate"] for finding in each["findings"]]
    if poison == "budget":
        assert passed == {NATIVE: True, FOREIGN: False}, findings
        assert len(findings) == 1
        assert findings[0].startswith("api: over-budget")
    else:
        assert passed == {NATIVE: False, FOREIGN: False}
        assert all("GHSA-till-till-till" in each for each in findings)
    with shop.release("1.4.0") as release:
        release.take_up()
        with pytest.raises(UsageError, match="have not passed the gate"):
            publish(release, lambda _line: None)
        assert not shop.tags(release)
        # The same images without the poison may go.
        stage(release, "good", passed=False, files=_images(""))
        release.share(release.state.platforms)
    code, report, said = _gate(shop, harmless)
    assert code == 0, said
    with shop.release("1.4.0") as release:
        release.take_up()
        for passage in release.state.gate:
            assert passage.scanned == ("api", "web")
            known = [(each.service, each.id, each.severity) for each in passage.vulnerabilities]
            assert known == [(name, "GHSA-till-till-till", "high") for name in ("api", "web")]


@pytest.mark.parametrize("set_aside", [False, True])
def test_a_scan_that_could_not_be_made_stops_a_release_unless_that_is_set_aside_and_is_never_called_passed(
    shop: Shop, tmp_path: Path, *, set_aside: bool
) -> None:
    without = SETTINGS.replace('scan-fail-on = "never"\n', "")
    shop.write("hullmark.toml", f"{SETTINGS if set_aside else without}smoke = false\n")
    with shop.release("1.4.0") as release:
        stage(release, "unknown", passed=False, files=lambda _service, _platform: till("1.0"))
        release.share(release.state.platforms)
        (rule,) = (each for each in release.plan.rules if each.startswith("what could not be checked"))
    assert ("except a scan" in rule) is set_aside
    environ = {**shop.environ, "HULLMARK_CACHE_DIR": str(tmp_path / "empty")}
    code, report, said = _gate(shop, environ)
    assert code == (0 if set_aside else 3), said
    for passage in report["gate"]:
        assert passage["passed"] is set_aside
        assert passage["checks"] == ["validate", "secrets"]
        (line,) = passage["unmade"]
        assert line.startswith("scan of api, web (")
    if set_aside:
        with shop.release("1.4.0") as release:
            release.take_up()
            publish(release, lambda _line: None)
        stdout = io.StringIO()
        argv = ["-C", str(shop.root), "release", "verify", "1.4.0"]
        assert main(argv, stdout=stdout, stderr=io.StringIO(), environ=environ) == 0
        assert f"not made by the gate: {NATIVE}: scan of api, web (" in stdout.getvalue()
