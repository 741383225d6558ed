"""A file that two checks find is told by the one that says more."""

from __future__ import annotations

from hullmark._checks.repeated import said_once
from hullmark.model.finding import Finding, Severity
from hullmark.model.location import ImagePath
from hullmark.model.outcome import Check, CheckResult, Ran


def _finding(rule: str, path: str, *, layer: int = 1, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(
        rule=rule,
        summary=rule,
        severity=severity,
        service="web",
        location=ImagePath(image="web:dev", path=path, layer=layer),
        seen=rule,
        expected="none",
        remedy="remove it",
        fingerprint=f"{rule} {path} {layer}",
    )


def _rules(validated: list[Finding], secrets: list[Finding]) -> list[tuple[str, tuple[str, ...]]]:
    results = [
        CheckResult(check=Check.VALIDATE, service="web", outcome=Ran(findings=tuple(validated))),
        CheckResult(check=Check.SECRETS, service="web", outcome=Ran(findings=tuple(secrets))),
    ]
    return [(each.rule, each.aliases) for result in said_once(results) for each in result.findings]


def test_a_file_that_both_find_is_told_once_by_the_secret() -> None:
    found = _rules([_finding("credential-file-in-layer", "/k.pem")], [_finding("visible-secret", "/k.pem")])
    assert found == [("visible-secret", ("credential-file-in-layer",))]


def test_another_file_or_layer_or_rule_is_told_all_the_same() -> None:
    validated = [
        _finding("credential-file-in-layer", "/other.pem"),
        _finding("credential-file-in-layer", "/k.pem", layer=0),
        _finding("world-writable-path", "/k.pem"),
    ]
    assert len(_rules(validated, [_finding("buried-secret", "/k.pem")])) == 4


def test_what_weighs_more_is_not_left_out_for_what_weighs_less() -> None:
    secret = _finding("visible-secret", "/k.pem", severity=Severity.NOTE)
    assert len(_rules([_finding("credential-file-in-layer", "/k.pem")], [secret])) == 2


def test_without_the_other_check_nothing_changes() -> None:
    assert _rules([_finding("env-file-in-layer", "/.env")], []) == [("env-file-in-layer", ())]
