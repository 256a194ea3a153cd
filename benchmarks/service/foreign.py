"""Bytes of strangers for whatever of the service reads them: an answer or a refusal in one line, no fault.

    python benchmarks/service/foreign.py [--targets body,zip] [--runs 20000] [--seed 1] [--out FILE]
    python benchmarks/service/foreign.py --targets zip --again crash-...

atheris changes bytes towards lines of our code that none has reached; each target is a process of its own. A
fault ends it with its traceback, and the bytes lie in a file `crash-...`, `timeout-...` or `oom-...` below
`--work`.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from asker import Table

TIMEOUT_SECONDS, MOST_MEGABYTES = 20, 4_096  # of one input
INSTRUMENTED = ("intertask.service", "intertask.answering", "intertask.storage", "intertask.data")
_RUNS = re.compile(r"#(\d+)\s")


def fuzz(target: str, corpus: Path, words: list[str]) -> None:
    """Fuzz one target within this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        import readers
    found = readers.READERS[target](corpus.parent)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(found.seeds):
        (corpus / f"seed{number}").write_bytes(content)
    atheris.Setup([sys.argv[0], str(corpus), *words], found)
    atheris.Fuzz()


def run(target: str, runs: int, seed: int, work: Path) -> Table:
    """Fuzz one target in a process of its own, and count."""
    work.mkdir(parents=True, exist_ok=True)
    words = [f"-runs={runs}", f"-seed={seed}", f"-timeout={TIMEOUT_SECONDS}", "-max_len=4096"]
    words += [f"-rss_limit_mb={MOST_MEGABYTES}", f"-artifact_prefix={work}/", "-print_final_stats=1"]
    command = [sys.executable, __file__, "--targets", target, "--work", str(work), "--inside", *words]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, check=False)
    log = done.stderr.decode(errors="replace")
    (work / "log").write_text(log, encoding="utf-8")
    found = [int(number) for number in _RUNS.findall(log)]
    kept = sorted(file.name for kind in ("crash", "timeout", "oom") for file in work.glob(f"{kind}-*"))
    return {
        "runs": max(found, default=0),
        "seconds": round(time.monotonic() - began, 1),
        "faults": kept,
        "met": done.returncode == 0 and not kept,
    }


def main() -> None:
    """Fuzz what is asked for."""
    import readers

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--targets", default=",".join(readers.READERS), help=", ".join(readers.READERS))
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a file for what was counted")
    parser.add_argument("--work", type=Path, default=Path("service-foreign"))
    parser.add_argument("--again", type=Path, help="read the bytes of this file once")
    parser.add_argument("--inside", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    names = chosen.targets.split(",")
    if strange := set(names) - readers.READERS.keys():
        parser.error(f"no target of the name {min(strange)}")
    if chosen.inside is not None:
        fuzz(names[0], chosen.work / "corpus", chosen.inside)
    if chosen.again is not None:
        chosen.work.mkdir(parents=True, exist_ok=True)
        readers.READERS[names[0]](chosen.work)(chosen.again.read_bytes())
        return
    found: dict[str, Table] = {}
    for name in names:
        found[name] = run(name, chosen.runs, chosen.seed, chosen.work.absolute() / name)
        print(json.dumps({"target": name} | found[name]), flush=True)
        if chosen.out is not None:
            chosen.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(one["met"] for one in found.values()) else 1)


if __name__ == "__main__":
    main()
