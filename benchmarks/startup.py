"""How long `hullmark --help` takes, start of the interpreter included, beside an interpreter that does nothing.

Both are measured in turns, so that what else the machine does slows both. Ends with 1 when hullmark takes longer than
it may, otherwise with the exit status of hullmark.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 21
LIMIT = 100.0
"""Milliseconds that a start may take, in the median."""
HEAVIEST = 5
BARE = (sys.executable, "-c", "pass")
HULLMARK = (sys.executable, str(Path(sys.executable).with_name("hullmark")), "--help")


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="starts of each (default: %(default)s)")
    parser.add_argument(
        "--limit",
        type=float,
        default=LIMIT,
        help="milliseconds that the median may take (default: %(default)s)",
    )
    options = parser.parse_args()
    rounds = options.rounds
    # The first start compiles and fills the file cache, and is not counted.
    first = subprocess.run(HULLMARK, capture_output=True, text=True, check=False)
    if first.returncode != 0:
        print(first.stderr, file=sys.stderr, end="")
        return first.returncode
    bare, hullmark = [], []
    for _ in range(rounds):
        bare.append(_milliseconds(BARE))
        hullmark.append(_milliseconds(HULLMARK))
    ours, theirs = statistics.median(hullmark), statistics.median(bare)
    print(f"hullmark --help   {ours:6.1f} ms   (median of {rounds}, fastest {min(hullmark):.1f} ms)")
    print(f"python -c pass    {theirs:6.1f} ms   (median of {rounds}, fastest {min(bare):.1f} ms)")
    print(f"hullmark itself   {ours - theirs:6.1f} ms   ({ours / theirs:.1f} times a bare start)")
    print("\nheaviest imports (own time, and with what they import in turn):")
    known = {name for _, _, name in _imports(BARE)}
    found = sorted((each for each in _imports(HULLMARK) if each[2] not in known), reverse=True)
    for own, total, name in found[:HEAVIEST]:
        print(f"  {own / 1000:6.1f} ms  {total / 1000:6.1f} ms  {name}")
    if ours > options.limit:
        print(f"\nhullmark --help takes longer than {options.limit:.0f} ms", file=sys.stderr)
        return 1
    return 0


def _milliseconds(argv: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000


def _imports(argv: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Own and total microseconds and the name of every module that `argv` imports."""
    python, *arguments = argv
    run = subprocess.run((python, "-X", "importtime", *arguments), capture_output=True, text=True, check=True)
    found = []
    for line in run.stderr.splitlines():
        own, bar, rest = line.removeprefix("import time:").partition("|")
        total, _, name = rest.partition("|")
        if bar and own.strip().isdecimal():
            found.append((int(own), int(total), name.strip()))
    return found


if __name__ == "__main__":
    sys.exit(main())
