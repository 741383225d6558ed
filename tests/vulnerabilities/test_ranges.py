"""Whether a version is in a range is what going through the events one by one says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.vulnerabilities import oracle

from hullmark._vulnerabilities.ranges import FIXED, INTRODUCED, LAST_AFFECTED, Unreadable, within
from hullmark._vulnerabilities.versions import Order

_KINDS = {"introduced": INTRODUCED, "fixed": FIXED, "last_affected": LAST_AFFECTED}
_VERSIONS = {
    ("Debian", Order.DEBIAN): st.from_regex(
        r"(1:)?[0-3](\.[0-2]){0,2}(~rc1)?(-[0-2](\+deb12u[12])?)?", fullmatch=True
    ),
    ("PyPI", Order.PYTHON): st.from_regex(r"[0-3](\.[0-2]){0,2}((a|rc|\.post)[12])?", fullmatch=True),
    ("npm", Order.SEMVER): st.from_regex(r"[0-3]\.[0-2]\.[0-2](-(alpha|rc\.[12]))?", fullmatch=True),
}


@pytest.mark.parametrize(("family", "order"), _VERSIONS, ids=[family for family, _ in _VERSIONS])
@given(data=st.data())
def test_a_version_is_in_a_range_where_the_events_before_it_say_so(
    family: str, order: Order, data: Any
) -> None:
    versions = _VERSIONS[family, order]
    # Of events of one version it depends on their order, which no record leaves open.
    texts = data.draw(
        st.lists(versions, max_size=6, unique_by=lambda text: _unique(order, text)).filter(
            lambda all_: "0" not in all_
        )
    )
    events = [{data.draw(st.sampled_from(sorted(_KINDS))): text} for text in texts]
    if data.draw(st.booleans()):
        events.append({"introduced": "0"})
    events = data.draw(st.permutations(events))
    version = data.draw(st.one_of(versions, st.sampled_from(texts)) if texts else versions)
    ranges = [("ECOSYSTEM", [(_KINDS[name], text) for event in events for name, text in event.items()])]
    found = within(version, ranges, (), order)
    assert (found is not None) == oracle.affected_by_range(family, version, events)
    if found is not None and found.fixed is not None:
        # A fix is after the version, and nothing between them makes it safe already.
        assert order.key(version) < order.key(found.fixed)
        assert within(found.fixed, [("ECOSYSTEM", [(FIXED, found.fixed)])], (), order) is None


def _unique(order: Order, text: str) -> Any:
    key: Any = order.key(text)
    return repr(key) if order is not Order.PYTHON else key


def test_a_range_that_cannot_be_read_does_not_hide_one_that_can() -> None:
    unreadable = ("ECOSYSTEM", [(INTRODUCED, "latest")])
    good = ("ECOSYSTEM", [(INTRODUCED, "0"), (FIXED, "2.0")])
    found = within("1.0", [unreadable, good], (), Order.DEBIAN)
    assert found is not None
    assert found.fixed == "2.0"
    with pytest.raises(Unreadable, match="`latest` is no version that Debian can compare"):
        within("3.0", [unreadable, good], (), Order.DEBIAN)
    assert within("3.0", [unreadable], ("3.0",), Order.DEBIAN) is not None


def test_a_range_of_semantic_versions_counts_where_the_versions_are_such() -> None:
    semantic = ("SEMVER", [(INTRODUCED, "1.0.0-alpha"), (FIXED, "1.0.0")])
    assert within("1.0.0-beta", [semantic], (), Order.MAVEN) is not None
    assert within("1.0.0", [semantic], (), Order.MAVEN) is None
    mixed = ("SEMVER", [(INTRODUCED, "0"), (FIXED, "2.0.Final")])
    assert within("1.0.Final", [mixed], (), Order.MAVEN) is not None
