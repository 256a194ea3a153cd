"""Training, evaluation and memory of intertask beside its peers, in turn, on the same data.

    python benchmarks/peers/run.py --out FOLDER --data ml1m --rounds 3
    python benchmarks/peers/run.py --out FOLDER --data ml100k --quality

Each measurement is a process of its own, and every round runs all libraries, so that a machine that
grows slower does so for all of them. A run that was stopped goes on where it was. See README.md.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measuring import Options
from summary import Line, quality_table, speed_table

from intertask.evaluate.provenance import provenance

HERE = Path(__file__).parent
ORIGIN = provenance(1).model_dump(mode="json", include={"commit", "date", "machine"})
STAGES = ("train", "evaluate")
REST = 2.0  # seconds between two processes, in which the one before has gone


@dataclass(frozen=True)
class Peer:
    """A library, or a variant of one: the name of its environment and adapter, and of the variant."""

    library: str
    variant: str = "plain"


PEERS = {
    "intertask": Peer("intertask"),
    "intertask-defaults": Peer("intertask", "defaults"),
    "rectools": Peer("rectools"),
    "replay": Peer("replay"),
    "replay-buckets": Peer("replay", "buckets"),
    "recbole": Peer("recbole"),
    "implicit-als": Peer("implicit", "als"),
    "implicit-bpr": Peer("implicit", "bpr"),
}
COURSES = ("intertask", "rectools", "replay", "replay-buckets")


def main() -> None:
    """Measure what has not been measured yet, and write the table."""
    told = _parse()
    folder = told.out.absolute() / told.data
    folder.mkdir(parents=True, exist_ok=True)
    _export(told.data, folder / "data")
    results = folder / ("quality.jsonl" if told.quality else "speed.jsonl")
    settings = _settings(told)
    pythons: dict[str, Path | None] = {}
    for turn, name, stage in _turns(told):
        key = {"round": turn, "peer": name, "stage": stage, "settings": settings}
        if any(_same(line, key) and line["ok"] for line in _lines(results)):
            continue
        library = PEERS[name].library
        if library not in pythons:
            pythons[library] = _environment(library, told.environments.absolute())
        python = pythons[library]
        line = (
            {"ok": False, "error": "no environment"} if python is None else _child(python, key, told, folder)
        )
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(key | line) + "\n")
        print(_told(key | line), flush=True)
    done = [Line.model_validate(line) for line in _lines(results) if line["settings"] == settings]
    table = quality_table(done) if told.quality else speed_table(done)
    results.with_suffix(".md").write_text(table, encoding="utf-8")
    print(f"\n{table}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="Folder of data, weights, results and tables.")
    add("--environments", type=Path, help="Folder of the peers' environments; OUT/environments.")
    add("--data", choices=("ml100k", "ml1m", "tiny"), default="ml100k", help="tiny: made up, for a trial.")
    add("--peers", nargs="+", choices=list(PEERS), help="All of them, or those with a course of their own.")
    add("--rounds", type=int, default=3)
    add("--epochs", type=int, default=2, help="Measured epochs, at most.")
    add("--seconds", type=float, default=20, help="Measured seconds of training, at most; 0: whole epochs.")
    add("--warm-up", type=int, default=3, help="Batches before the measurement.")
    add("--threads", type=int, default=os.cpu_count())
    add("--timeout", type=float, default=900, help="Seconds of a process, not of a course; 0: any.")
    add("--quality", action="store_true", help="Validation NDCG@10 against training time instead.")
    add("--dropout", type=float, default=0.2, help="Of the states of the equal model.")
    add("--equal", action="store_true", help="Quality: the equal model, not the peers' defaults.")
    add("--patience", type=int, default=5, help="Quality: validations without a better one.")
    add("--every", type=int, default=1, help="Quality: epochs between validations.")
    add("--limit", type=float, default=3600, help="Quality: seconds of training, at most.")
    add("--recipe", type=Path, help="Quality: of intertask; the equal model where left out.")
    told = parser.parse_args()
    told.environments = told.environments or told.out / "environments"
    told.peers = told.peers or list(COURSES if told.quality else PEERS)
    return told


def _settings(told: argparse.Namespace) -> dict[str, object]:
    if told.quality:
        recipe = None if told.recipe is None else _digest(told.recipe.read_text(encoding="utf-8"))
        names = ("equal", "patience", "every", "limit", "threads", "dropout")
        return (
            {"commit": ORIGIN["commit"]} | {name: getattr(told, name) for name in names} | {"recipe": recipe}
        )
    timed = ("epochs", "seconds", "warm_up", "threads", "dropout")
    return {"commit": ORIGIN["commit"]} | {name: getattr(told, name) for name in timed}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _turns(told: argparse.Namespace) -> Iterator[tuple[int, str, str]]:
    for turn in range(1 if told.quality else told.rounds):
        for name in told.peers:
            for stage in ("quality",) if told.quality else STAGES:
                yield turn, name, stage


def _export(data: str, folder: Path) -> None:
    if not (folder / "sizes.json").exists():
        words: list[str | Path] = [sys.executable, HERE / "export.py", data, folder]
        if subprocess.run(words, check=False).returncode:
            sys.exit(f"{data} could not be exported")


def _environment(library: str, folder: Path) -> Path | None:
    """The interpreter that has a library; None where it cannot be installed."""
    if library == "intertask":
        return Path(sys.executable)
    wanted = HERE / f"requirements-{library}.txt"
    place, digest = folder / library, hashlib.sha256(wanted.read_bytes()).hexdigest()
    python, mark = place / "bin" / "python", place / "installed"
    if mark.exists() and mark.read_text(encoding="utf-8") == digest:
        return python
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{library}.log"
    print(f"installing {library}, see {log}", flush=True)
    with log.open("w", encoding="utf-8") as file:
        commands: tuple[list[str | Path], ...] = (
            [sys.executable, "-m", "venv", "--clear", place],
            [python, "-m", "pip", "install", "-r", wanted],
        )
        for words in commands:
            if subprocess.run(words, stdout=file, stderr=file, check=False).returncode:
                return None
    mark.write_text(digest, encoding="utf-8")
    return python


def _child(python: Path, key: dict[str, object], told: argparse.Namespace, folder: Path) -> dict[str, object]:
    """One stage of one peer in a process of its own: what it found, and its peak memory."""
    name, stage = str(key["peer"]), str(key["stage"])
    peer = PEERS[name]
    scratch = folder / "scratch" / name
    scratch.mkdir(parents=True, exist_ok=True)
    out = scratch / f"{stage}.json"
    out.unlink(missing_ok=True)
    options = Options(
        data=folder / "data",
        dataset=told.data,
        folder=scratch,
        variant=peer.variant,
        lines=folder / f"quality-{name}.jsonl",
        checkpoint=scratch / f"course-{_digest(json.dumps(key))}.ckpt",
        recipe=None if told.recipe is None else told.recipe.absolute(),
        **{
            field: getattr(told, field)
            for field in (
                "epochs",
                "seconds",
                "warm_up",
                "threads",
                "patience",
                "every",
                "limit",
                "dropout",
                "equal",
            )
        },
    )
    program = HERE / f"run_{peer.library}.py"
    words: list[str | Path] = [python, program, stage, "--out", out, "--options", options.to_json()]
    threads = {variable: str(told.threads) for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    if peer.library == "implicit":  # which has threads of its own, and warns of a second pool
        threads["OPENBLAS_NUM_THREADS"] = "1"
    environment = os.environ | threads | {"PYTHONWARNINGS": "ignore"}
    time.sleep(REST)
    load, began = os.getloadavg()[0], time.perf_counter()
    with (scratch / f"{stage}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
        status, peak = _wait(process, 0 if told.quality else told.timeout)
    line: dict[str, object] = {
        "ok": status == 0 and out.exists(),
        "wall_seconds": round(time.perf_counter() - began, 2),
        "load_before": round(load, 2),
        "provenance": ORIGIN,
    }
    if line["ok"]:
        found: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
        return line | {"peak_mib": round(peak, 1)} | found
    last = (scratch / f"{stage}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    late = not told.quality and 0 < told.timeout <= time.perf_counter() - began
    return line | {"error": "took too long" if late else f"status {status}: {''.join(last)}"}


def _wait(process: "subprocess.Popen[bytes]", timeout: float) -> tuple[int, float]:
    """Exit status and peak memory in MiB; a process that takes too long is killed."""
    stop = time.monotonic() + timeout
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss / 2**10
        if timeout and time.monotonic() > stop:
            process.kill()
        time.sleep(0.05)


def _lines(file: Path) -> list[dict[str, object]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _same(line: dict[str, object], key: dict[str, object]) -> bool:
    return all(line[name] == value for name, value in key.items())


def _told(line: dict[str, object]) -> str:
    shown = (
        "interactions_per_second",
        "seconds",
        "ndcg@10",
        "peak_mib",
        "wall_seconds",
        "load_before",
        "error",
    )
    figures = [
        f"{name} {line[name]:,.4g}" if isinstance(line[name], float) else f"{name} {line[name]}"
        for name in shown
        if name in line
    ]
    return f"round {line['round']}  {line['peer']:<22}{line['stage']:<10}" + "  ".join(figures)


if __name__ == "__main__":
    main()
