"""Which number a user has: what the image's own list says, and what is known without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.accounts import AccountCapture, uid_of
from hullmark._contents.filesystem import overlay
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

PASSWD = b"root:x:0:0:root:/root:/bin/bash\napp:x:1000:1000::/:/bin/sh\nbroken:x\napp:x:7:7::/:\nworse:x:abc:1::/:\n"


def _uid(user: str, text: bytes | None = PASSWD) -> int | None:
    path = "/etc/passwd"
    entries = [] if text is None else [Entry(path=path, kind=Kind.FILE, size=len(text))]
    kept = {} if text is None else {path: text}
    layer = Layer(diff_id=DiffId.parse(f"sha256:{0:064}"), table=FileTable.of(entries), captured=kept)
    return uid_of(overlay((layer,)), user)


@pytest.mark.parametrize(
    ("user", "uid"),
    [
        ("", 0),
        ("root", 0),
        ("0:5", 0),
        ("app", 1000),
        ("app:staff", 1000),
        ("1234", 1234),
        ("nobody", None),
        ("broken", None),
        ("worse", None),
        (":app", 0),
    ],
)
def test_a_user_has_the_number_that_the_image_gives_it(user: str, uid: int | None) -> None:
    assert _uid(user) == uid


def test_root_is_root_without_a_list_and_nobody_else_is_anything() -> None:
    assert (_uid("root", None), _uid("app", None)) == (0, None)


@given(st.binary(max_size=200), st.text(max_size=10))
def test_no_list_is_too_strange(text: bytes, user: str) -> None:
    uid = _uid(user, text)
    assert uid is None or uid >= 0


def test_only_the_list_itself_is_kept() -> None:
    capture = AccountCapture()
    assert capture.take("/etc/passwd", memoryview(PASSWD)) == PASSWD
    assert capture.take("/etc/passwd-", memoryview(PASSWD)) is None
    assert not capture.wants("/etc/passwd", 1 << 30, 0o644)
