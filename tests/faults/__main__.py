"""`python -m tests.faults`: every fault in its full form, a table at the end, and the figures in docs/reliability."""

import argparse
import logging
import secrets
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults import report
from tests.faults.arena import FULL, SHORT
from tests.faults.cases import EVERY
from tests.faults.grounds import GROUNDS


def main() -> int:
    """Exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", default=secrets.token_hex(4), help="repeats a run (default: a new one, printed)")
    parser.add_argument("--only", nargs="*", help="names of faults, or parts of them")
    parser.add_argument("--short", action="store_true", help="the pace of `make test`")
    parser.add_argument("--out", type=Path, help="folder for faults.json and faults.md")
    parser.add_argument("--folder", type=Path, help="folder of data and logs, kept (default: a temporary one)")
    given = parser.parse_args()
    for name in ("aiokafka", "clickhouse_connect", "urllib3", "asyncio"):  # they log each fault, as they should
        logging.getLogger(name).setLevel(logging.CRITICAL)
    chosen = [f for f in EVERY if not given.only or any(part in f.name for part in given.only)]
    print(f"seed {given.seed}, {len(chosen)} faults", flush=True)
    begun, rows, left_out = time.monotonic(), [], list[str]()
    with TemporaryDirectory(prefix="faults-") as temporary:
        for name, ground in GROUNDS.items():
            faults = [fault for fault in chosen if fault.ground == name]
            if not faults:
                continue
            folder = (given.folder or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            with ground(folder, SHORT if given.short else FULL) as arena:
                for fault in faults:
                    if fault.needs_disks and not arena.disks:
                        left_out.append(f"{fault.name}: this user may not mount a file system")
                        continue
                    rows.append(report.run(arena, fault, f"{given.seed} {fault.name}"))
                    print(report.line(rows[-1]), flush=True)
    print(report.table(rows, left_out))
    minutes, seconds = divmod(round(time.monotonic() - begun), 60)
    print(f"Seed `{given.seed}`, {minutes} min {seconds} s.")
    if given.out:
        report.write(rows, left_out, given.out)
    return int(any(row.problems for row in rows))


if __name__ == "__main__":
    sys.exit(main())
