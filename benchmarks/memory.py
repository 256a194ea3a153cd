"""Peak memory of a log of 20 million events: made, prepared, trained on for one epoch, evaluated.

    python benchmarks/memory.py FOLDER [--events 20000000]

Each step is a process of its own; its peak is what the operating system accounts to it. Neither
users x length nor users x items fits: 500,000 x 50 x 4 bytes are 0.1 GB an array, 500,000 x 20,000 x 4
are 40 GB.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

RECIPE = """
width = 32
max_length = 50

[data.events]
path = "events.parquet"
time = "time"
behaviour = "behaviour"
labels = ["liked"]

[encoder]
kind = "gru"

[tasks.next]
kind = "next_item"
loss = { kind = "shared_pool", num_negatives = 512 }

[train]
epochs = 1
windows = "all"
batch_tokens = 32768

[evaluation.baselines.popularity]
kind = "popularity"

[evaluation.baselines.transition]
kind = "transition"
"""

MAKE = """
import sys
from pathlib import Path
from intertask.datasets.synthetic import Config
users, file = int(sys.argv[1]), sys.argv[2]
Config(users=users, items=20_000, length=40).load(Path()).events.frame.write_parquet(file)
"""


def main() -> None:
    """Run the steps and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=20_000_000)
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    command = [sys.executable, "-m", "intertask"]
    steps = {
        "made": [sys.executable, "-c", MAKE, str(options.events // 40), str(folder / "events.parquet")],
        "prepared": [*command, "data", str(folder / "recipe.toml"), "--out", str(folder / "corpus")],
        "trained, one epoch": [*command, "train", str(folder / "recipe.toml"), "--run", str(folder / "run")],
        "evaluated": [*command, "evaluate", str(folder / "run"), "--samples", "0"],
    }
    for name, words in steps.items():
        began = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            sys.exit(f"{name}: exit status {status}")
        line = {"step": name, "seconds": time.perf_counter() - began, "peak_gib": usage.ru_maxrss / 2**20}
        print(
            json.dumps({key: round(v, 2) if isinstance(v, float) else v for key, v in line.items()}),
            flush=True,
        )


if __name__ == "__main__":
    main()
