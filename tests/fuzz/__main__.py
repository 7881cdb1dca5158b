"""`python -m tests.fuzz --seconds N`: fuzz every target for its share of the time, and tell what was found.

A finding is kept as a file in `--out`; `python -m tests.fuzz --repeat FILE --target NAME` runs it again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz.seeds import mutated_record, write_corpus
from tests.fuzz.targets import TARGETS

SHARES = {"record": 6, "image": 2, "mask": 1, "base64": 1, "bundle": 2}
SLOWEST_S = 10
MOST_MEMORY_MB = 2048


def main() -> int:
    """Exit code 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="over all targets")
    parser.add_argument("--out", type=Path, default=Path(".fuzz"), help="corpus and findings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=TARGETS)
    parser.add_argument("--repeat", type=Path, help="one finding")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.repeat:
        TARGETS[given.target](given.repeat.read_bytes())
        return 0
    if given.inside:
        _fuzz(given.target, given.out, given.seconds, given.seed)
    names = [given.target] if given.target else list(TARGETS)
    shares = sum(SHARES.get(name, 1) for name in names)
    failed = False
    for name in names:
        seconds = max(1, given.seconds * SHARES.get(name, 1) // shares)
        write_corpus(name, given.out / name / "corpus")
        command = [sys.executable, "-m", "tests.fuzz", "--inside", "--target", name, "--out", str(given.out)]
        command += ["--seconds", str(seconds), "--seed", str(given.seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [line for line in done.stderr.splitlines() if line.startswith(("stat::number_of", "stat::average"))]
        print(f"{name}: {seconds} s, " + (", ".join(" ".join(line[6:].split()) for line in lines) or "no figures"))
        if done.returncode:
            failed = True
            print((done.stdout + done.stderr)[-3000:])
    return int(failed)


def _fuzz(name: str, out: Path, seconds: int, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["pipeline", "schemas"]):
        for module in [module for module in sys.modules if module.split(".")[0] in ("pipeline", "schemas")]:
            del sys.modules[module]
        del sys.modules["tests.fuzz.targets"]
        from tests.fuzz.targets import TARGETS as instrumented

    folder = out / name
    options = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={SLOWEST_S}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        "-max_len=20000",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(folder / "corpus"),
    ]
    mutator = {}
    if name == "record":
        mutator["custom_mutator"] = lambda data, size, seed: mutated_record(data, size, seed, atheris.Mutate)
    atheris.Setup(options, instrumented[name], **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
