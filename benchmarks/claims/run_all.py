"""The grid and the claims in one command: trains what is missing, and rebuilds their tables.

    python benchmarks/claims/run_all.py FOLDER [--only grid-retailrocket noise ...] [--jobs 2]

A claim is a program beside this file with its arguments. Its runs are folders below a folder in FOLDER,
which may be stopped and go on; claims with runs in common share one. When it is done its table stands in
benchmarks/results/claims/CLAIM.md, with the figures of each seed in CLAIM.json where the program writes them.
So many claims run at once, a thread each, and those that share a folder one after the other; what goes wrong
stands in FOLDER/CLAIM.log. Not among them:
cost.py, which wants a quiet machine, and catalogues.toml, which is for `intertask transfer`.
"""

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from grid import MECHANISMS, ONE_BY_ONE

from intertask.storage.files import written_aside

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "claims"


class Claim(NamedTuple):
    """A program, its arguments, and the folder of its runs."""

    program: str
    words: tuple[str, ...]
    folder: str


EVERY = ("--mechanisms", *MECHANISMS, ONE_BY_ONE)
THREE = ("--mechanisms", "none", "shared bottom", "gated slots")
CLAIMS = {
    "grid-retailrocket": Claim("grid.py", ("retailrocket.toml", *EVERY), "retailrocket"),
    "grid-online_retail": Claim("grid.py", ("online_retail.toml", *EVERY), "online_retail"),
    "grid-movielens_1m": Claim("grid.py", ("movielens_1m.toml", *EVERY), "movielens_1m"),
    "grid-census_income": Claim("grid.py", ("census_income.toml",), "census_income"),
    "grid-jdata": Claim("grid.py", ("jdata.toml", *EVERY), "jdata"),
    "grid-tmall": Claim("grid.py", ("tmall.toml", *THREE), "tmall"),
    "two_by_two": Claim("two_by_two.py", ("retailrocket.toml",), "retailrocket"),
    "controls": Claim("controls.py", (), "controls"),
    "controls-labels": Claim("controls.py", ("--labels", "1"), "controls-labels"),
    "diversity": Claim("diversity.py", (), "retailrocket"),  # reads the runs of the grid
    "noise": Claim("noise.py", ("retailrocket.toml",), "retailrocket"),
    "domains": Claim("domains.py", (), "domains"),
    "sparse": Claim("sparse.py", ("retailrocket.toml", "--task", "transaction"), "retailrocket"),
}


def main() -> None:
    """Run those that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(CLAIMS), default=list(CLAIMS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        running: dict[str, Future[bool]] = {}
        latest: dict[str, Future[bool]] = {}
        for name in [name for name in CLAIMS if name in options.only]:
            place = CLAIMS[name].folder
            latest[place] = running[name] = pool.submit(run, options.folder, name, latest.get(place))
        failed = [name for name, job in running.items() if not job.result()]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; see {options.folder}/CLAIM.log")


def run(folder: Path, name: str, before: Future[bool] | None) -> bool:
    """One claim, after the one before it in the same folder, if that went well or not; whether it did."""
    program, words, place = CLAIMS[name]
    if before is not None:
        before.result()
    files = [str(HERE / word) if word.endswith(".toml") else word for word in words]
    recipe, rest = ([files[0]], files[1:]) if words and words[0].endswith(".toml") else ([], files)
    command = [sys.executable, str(HERE / program), *recipe, str(folder / place), *rest]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    with (folder / f"{name}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=log, env=os.environ | threads, check=False
        )
    if done.returncode:
        print(f"{name}: failed", flush=True)
        return False
    RESULTS.mkdir(parents=True, exist_ok=True)
    with written_aside(RESULTS / f"{name}.md") as aside:
        aside.write_bytes(done.stdout)
    figures = folder / place / program.replace(".py", ".json")
    if figures.is_file():
        shutil.copyfile(figures, RESULTS / f"{name}.json")
    print(f"{name}: {RESULTS / name}.md", flush=True)
    return True


if __name__ == "__main__":
    main()
