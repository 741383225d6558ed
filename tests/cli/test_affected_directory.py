"""A directory that is none, as `hullmark affected` and every other command tell it."""

from __future__ import annotations

import io
import os

import pytest

from hullmark._cli import main


@pytest.mark.parametrize("directory", ["", "missing", __file__, "a" * 300])
def test_a_directory_that_is_none_is_told_as_by_every_command(directory: str) -> None:
    told = []
    for command in ("affected", "lint"):
        err = io.StringIO()
        argv = ["-C", directory, command]
        code = main(argv, stdout=io.StringIO(), stderr=err, environ=dict(os.environ))
        told.append((code, err.getvalue()))
    assert told[0] == told[1]
    assert told[0][0] == 2
