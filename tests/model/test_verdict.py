"""One function decides, and nothing that goes wrong ever makes it more lenient."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.finding import Finding, Severity
from hullmark.model.location import ServicePlace
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.verdict import Counts, Policy, Status, decide

if TYPE_CHECKING:
    from hullmark.model.outcome import Outcome

GREENEST_FIRST = (Status.CLEAN, Status.NOTHING, Status.UNCHECKED, Status.FINDINGS)


def _finding(severity: Severity) -> Finding:
    return Finding(
        rule="rule",
        summary="summary",
        severity=severity,
        service="web",
        location=ServicePlace(service="web"),
        seen="seen",
        expected="expected",
        remedy="remedy",
        fingerprint="0" * 16,
    )


ERROR, WARNING, NOTE = (_finding(s) for s in (Severity.ERROR, Severity.WARNING, Severity.NOTE))


def _result(outcome: Outcome, check: Check = Check.LINT) -> CheckResult:
    return CheckResult(check=check, service="web", outcome=outcome)


SOME = Policy()
LENIENT = Policy(required=frozenset(Check) - {Check.SCAN}, advisory=frozenset({Check.SCAN}))
STRICT = Policy(fail_on=Severity.NOTE)


@pytest.mark.parametrize(
    ("results", "policy", "exit_code"),
    [
        ([], SOME, 4),
        ([_result(Ran())], SOME, 0),
        ([_result(Ran(findings=(WARNING, NOTE)))], SOME, 0),
        ([_result(Ran(findings=(WARNING,)))], Policy(fail_on=Severity.WARNING), 1),
        ([_result(Ran(findings=(NOTE,)))], Policy(fail_on=Severity.WARNING), 0),
        ([_result(Ran(findings=(NOTE,)))], STRICT, 1),
        ([_result(Ran(findings=(ERROR,)))], SOME, 1),
        ([_result(Skipped(reason="r"))], SOME, 3),
        ([_result(Skipped(reason="r", moot=True))], SOME, 4),
        ([_result(Skipped(reason="r", moot=True)), _result(Ran())], SOME, 0),
        ([_result(Ran()), _result(Skipped(reason="r"))], SOME, 3),
        ([_result(Broken(error="e"))], SOME, 3),
        ([_result(Ran()), _result(Broken(error="e"))], SOME, 3),
        ([_result(Broken(error="e", findings=(WARNING,)))], SOME, 3),
        ([_result(Broken(error="e", findings=(ERROR,)))], SOME, 1),
        ([_result(Ran(findings=(ERROR,))), _result(Broken(error="e"))], SOME, 1),
        ([_result(Ran(findings=(ERROR,)), Check.SCAN), _result(Ran())], LENIENT, 0),
        ([_result(Skipped(reason="r"), Check.SCAN), _result(Ran())], LENIENT, 0),
        ([_result(Broken(error="e"), Check.SCAN), _result(Ran())], LENIENT, 0),
        ([_result(Skipped(reason="r"), Check.SCAN)], LENIENT, 4),
        ([_result(Ran(findings=(ERROR,)), Check.SCAN)], SOME, 1),
        ([_result(Skipped(reason="r"), Check.SCAN), _result(Ran())], SOME, 3),
    ],
)
def test_the_exit_code_follows_from_outcomes_and_policy(
    results: list[CheckResult], policy: Policy, exit_code: int
) -> None:
    assert decide(results, policy).exit_code == exit_code


def test_every_status_has_the_exit_code_it_is_documented_with() -> None:
    assert {status.name: status.value for status in Status} == {
        "CLEAN": 0,
        "FINDINGS": 1,
        "UNCHECKED": 3,
        "NOTHING": 4,
    }


def test_everything_is_counted_also_what_does_not_decide() -> None:
    results = [
        _result(Ran(findings=(ERROR, WARNING, WARNING)), Check.SCAN),
        _result(Broken(error="e", findings=(NOTE,))),
        _result(Skipped(reason="r")),
        _result(Ran()),
    ]
    assert decide(results, LENIENT).counts == Counts(
        errors=1, warnings=2, notes=1, ran=2, skipped=1, broken=1
    )


def test_results_may_come_one_by_one() -> None:
    assert decide(iter([_result(Ran(findings=(ERROR,)))]), SOME).status is Status.FINDINGS


def test_what_was_skipped_has_no_findings() -> None:
    assert _result(Skipped(reason="r")).findings == ()
    assert _result(Broken(error="e", findings=(NOTE,))).findings == (NOTE,)


FINDINGS = st.lists(st.sampled_from([ERROR, WARNING, NOTE]), max_size=3).map(tuple)
OUTCOMES = st.one_of(
    st.builds(Ran, findings=FINDINGS),
    st.builds(Skipped, reason=st.just("r"), moot=st.booleans()),
    st.builds(Broken, error=st.just("e"), findings=FINDINGS),
)
RESULTS = st.lists(
    st.builds(CheckResult, check=st.sampled_from(Check), service=st.none(), outcome=OUTCOMES), max_size=5
)
CHECKS = st.frozensets(st.sampled_from(Check))
POLICIES = st.builds(Policy, fail_on=st.sampled_from(Severity), required=CHECKS, advisory=CHECKS)


def _greenness(results: list[CheckResult], policy: Policy) -> int:
    return GREENEST_FIRST.index(decide(results, policy).status)


@given(
    results=RESULTS,
    policy=POLICIES,
    finding=st.sampled_from([ERROR, WARNING, NOTE]),
    at=st.integers(min_value=0),
)
def test_a_finding_more_never_makes_the_verdict_greener(
    results: list[CheckResult], policy: Policy, finding: Finding, at: int
) -> None:
    able = [index for index, result in enumerate(results) if not isinstance(result.outcome, Skipped)]
    worse = list(results)
    if able:
        index = able[at % len(able)]
        outcome = results[index].outcome
        assert not isinstance(outcome, Skipped)
        worse[index] = replace(
            results[index], outcome=replace(outcome, findings=(*outcome.findings, finding))
        )
    assert _greenness(worse, policy) >= _greenness(results, policy)


@given(results=RESULTS, policy=POLICIES, check=st.sampled_from(Check), findings=FINDINGS)
def test_a_broken_check_more_never_makes_the_verdict_greener(
    results: list[CheckResult], policy: Policy, check: Check, findings: tuple[Finding, ...]
) -> None:
    worse = [*results, _result(Broken(error="e", findings=findings), check)]
    assert _greenness(worse, policy) >= _greenness(results, policy)


@given(results=RESULTS, policy=POLICIES, at=st.integers(min_value=0))
def test_a_check_that_breaks_instead_of_running_never_makes_the_verdict_greener(
    results: list[CheckResult], policy: Policy, at: int
) -> None:
    worse = list(results)
    if results:
        index = at % len(results)
        worse[index] = replace(results[index], outcome=Broken(error="e", findings=results[index].findings))
    assert _greenness(worse, policy) >= _greenness(results, policy)


@given(results=RESULTS, policy=POLICIES, more=CHECKS, fail_on=st.sampled_from(Severity))
def test_a_stricter_policy_never_makes_the_verdict_greener(
    results: list[CheckResult], policy: Policy, more: frozenset[Check], fail_on: Severity
) -> None:
    stricter = Policy(
        fail_on=min(policy.fail_on, fail_on),
        required=policy.required | more,
        advisory=policy.advisory - more,
    )
    assert _greenness(results, stricter) >= _greenness(results, policy)


@given(results=RESULTS, policy=POLICIES, data=st.data())
def test_the_order_of_results_does_not_matter(
    results: list[CheckResult], policy: Policy, data: st.DataObject
) -> None:
    assert decide(data.draw(st.permutations(results)), policy) == decide(results, policy)


@given(results=RESULTS)
def test_where_all_checks_are_required_clean_means_that_all_of_them_looked(
    results: list[CheckResult],
) -> None:
    if decide(results, STRICT).status is Status.CLEAN:
        assert any(isinstance(result.outcome, Ran) for result in results)
        for result in results:
            match result.outcome:
                case Ran(findings=findings):
                    assert not findings
                case Skipped(moot=moot):
                    assert moot
                case Broken():
                    pytest.fail("a broken check passed")
