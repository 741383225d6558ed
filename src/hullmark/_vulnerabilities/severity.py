"""How severe a vulnerability is: by every source, the one that decides first."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hullmark.model.vulnerability import SEVERITIES, Rating, Scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_UNKNOWN, _LOW, _MEDIUM, _HIGH, _CRITICAL = SEVERITIES
_WORDS = {
    "negligible": _LOW,
    "unimportant": _LOW,
    "minor": _LOW,
    "low": _LOW,
    "moderate": _MEDIUM,
    "medium": _MEDIUM,
    "important": _HIGH,
    "high": _HIGH,
    "critical": _CRITICAL,
}
"""The words of databases and distributions. A word that is not here, such as `not yet assigned`, rates nothing."""
_FROM = ((9.0, _CRITICAL), (7.0, _HIGH), (4.0, _MEDIUM))
_VECTORS = {"CVSS_V4": Scale.CVSS_4, "CVSS_V3": Scale.CVSS_3, "CVSS_V2": Scale.CVSS_2}
_MALICIOUS = "MAL-"
_ORDER = tuple(Scale)


def ratings(
    record: str,
    of_package: Iterable[tuple[str, str]],
    of_record: Iterable[tuple[str, str]],
    *,
    distribution: str,
) -> tuple[Rating, ...]:
    """What one record says; `distribution` is whose record it is, empty for those of languages. Not sorted."""
    found = [
        rating
        for kind, value in (*of_package, *of_record)
        if (rating := _rating(record, kind, value, distribution)) is not None
    ]
    if record.startswith(_MALICIOUS):
        found.append(
            Rating(severity=_CRITICAL, scale=Scale.MALICIOUS, source="malicious package", record=record)
        )
    return tuple(dict.fromkeys(found))


def in_order(found: Iterable[Rating], order: Sequence[Scale] = _ORDER) -> tuple[Rating, ...]:
    """The one that decides first: by scale, and the more severe one where two of a scale differ."""
    return tuple(sorted(dict.fromkeys(found), key=lambda each: _place(each, order)))


def _place(rating: Rating, order: Sequence[Scale]) -> tuple[int, int, float, str, str]:
    severity = SEVERITIES.index(rating.severity)
    return order.index(rating.scale), -severity, -(rating.score or 0.0), rating.record, rating.source


def _rating(record: str, kind: str, value: str, distribution: str) -> Rating | None:
    scale = _VECTORS.get(kind)
    if scale is not None:
        scored = _score(value)
        if scored is None:
            return None
        version, score = scored
        severity = next((word for least, word in _FROM if score >= least), _LOW)
        return Rating(
            severity=severity, scale=scale, source=f"CVSS {version}", record=record, score=score, vector=value
        )
    severity = _WORDS.get(value.lower(), "")
    if not severity:
        return None
    if distribution:
        # Debian has an urgency, others a severity; `Ubuntu` is a type of its own, and stands for its priority.
        source = f"{distribution} {kind if kind in {'urgency', 'severity'} else 'priority'}"
        return Rating(severity=severity, scale=Scale.DISTRIBUTION, source=source, record=record)
    source = f"{record.partition('-')[0]} severity"
    return Rating(severity=severity, scale=Scale.DATABASE, source=source, record=record)


@lru_cache(maxsize=1 << 12)
def _score(vector: str) -> tuple[str, float] | None:
    """The version of CVSS and the score of a vector; `None` for what is none."""
    import cvss  # noqa: PLC0415  # loaded for the first vector

    try:
        if vector.startswith("CVSS:4"):
            return "4.0", float(cvss.CVSS4(vector).base_score)
        if vector.startswith("CVSS:3"):
            return vector[5:8], float(cvss.CVSS3(vector).scores()[0])
        return "2.0", float(cvss.CVSS2(vector).scores()[0])
    except cvss.CVSSError:
        return None
