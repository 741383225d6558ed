"""`python -m hullmark`."""

from __future__ import annotations

from hullmark._cli import run

if __name__ == "__main__":
    run()
