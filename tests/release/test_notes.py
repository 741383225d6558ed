"""The notes of a release are Markdown, and what others wrote in them is text."""

from __future__ import annotations

from hullmark._reporters.notes import notes
from hullmark.model.release import News, NotScanned, VulnerabilityNews
from hullmark.model.staging import Known

WRITTEN = "a|b<img src=x> [c](javascript:d) *e* @ada \x1b[31m\n# f"


def test_what_others_wrote_is_no_markup() -> None:
    known = Known(service="api", id=WRITTEN, package=WRITTEN, installed="1", severity="high")
    found = VulnerabilityNews(known=1, new=(known,), fixed=(), by="records of `a|b`")
    text = "".join(
        notes(
            "1.4.0",
            [
                News(service="api", before="1.3_9", difference=None, unpacked=1, vulnerabilities=found),
                News(
                    service="web",
                    before=None,
                    difference=None,
                    unpacked=1,
                    vulnerabilities=NotScanned(reason=WRITTEN),
                ),
            ],
        )
    )
    assert "1.3\\_9" in text
    assert "`a\\|b`" in text
    for markup in ("<img", "[c](", " *e*", "@ada", "\x1b", "\n# f", "a|b"):
        assert markup not in text, markup
