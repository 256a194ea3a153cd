"""`intertask doctor`: is everything here that a run needs?"""

import typer

from intertask.cli.output import JsonOption, print_json, say

PACKAGES = (
    "torch",
    "numpy",
    "polars",
    "pydantic",
    "typer",
    "rich",
    "safetensors",
    "scipy",
    "scikit-learn",
    "charset-normalizer",
)
EXTRAS = {
    "implicit": "baselines",
    "matplotlib": "plots",
    "torchjd": "gradients",
    "pandas": "pandas",
    "pyarrow": "pandas",
    "lightgbm": "trees",
    "apsw": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "httptools": "serve",
    "prometheus-client": "serve",
    "psycopg": "serve",
}


def doctor(as_json: JsonOption = False) -> None:
    """Print versions, processors, memory and what is missing; exit 1 where a run would fail."""
    import importlib.metadata
    import os
    import platform
    import shutil
    from pathlib import Path

    def version(package: str) -> str | None:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    found: dict[str, object] = {"intertask": version("intertask"), "python": platform.python_version()}
    found |= {name: version(name) for name in PACKAGES}
    found |= {
        name: version(name) or f"missing: pip install intertask[{extra}]" for name, extra in EXTRAS.items()
    }
    missing = [name for name in PACKAGES if found[name] is None]
    if "torch" not in missing:
        import torch

        found["device"] = "cuda" if torch.cuda.is_available() else "cpu"
        found["threads"] = torch.get_num_threads()
    found["cores"] = os.cpu_count()
    found["free disk, GiB"] = shutil.disk_usage(Path()).free // 2**30
    found["INTERTASK_DATA"] = os.environ.get("INTERTASK_DATA", "not set: data sets are fetched")
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            say(f"{name:16} {value if value is not None else 'MISSING'}")
    if missing:
        raise typer.Exit(1)
