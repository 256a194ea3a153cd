"""Makes good files bad: what a fuzzer does to a model folder, and how the folder agrees with itself again."""

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from safetensors.numpy import load_file, save_file

Random = np.random.Generator

ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    3.5,
    -0.5,
    1e9,
    1e308,
    10**12,
    2**31,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "x",
    "1",
    "8",
    "gru",
    "next",
    "../x",
    "/etc/passwd",
    "x" * 10_000,
    "\0",
    "\x1b[31m",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    [1, 2, 3],
    {"kind": "gru"},
    {"a": {"b": {}}},
    [0] * 1_000,
)
ODD_NUMBERS = (np.nan, np.inf, -np.inf, -1, 0, 1, 255, 1e30, -1e30, 2**31 - 1, 2**62, -(2**62), 1e-45)


def seal(folder: Path) -> None:
    """Make the manifest agree with the files, as one who changes a file on purpose would."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"] = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() if _is_plain(file) else "0" * 64
        for file in sorted(folder.iterdir())
        if file.name != "manifest.json"
    }
    write_json(folder / "manifest.json", manifest)


def write_json(file: Path, value: object) -> None:
    """Write JSON, whatever it holds."""
    file.write_text(json.dumps(value), encoding="utf-8", errors="surrogatepass")


def harm(folder: Path, random: Random) -> None:
    """One to three changes to the files of a folder, which then agrees with itself again, as a rule."""
    sealed = random.random() < 0.95
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        names = sorted(place.name for place in folder.iterdir())
        names += 3 * [name for name in names if name != "manifest.json"]  # what it says is soon refused
        file = folder / str(random.choice(names))
        kinds: list[Callable[[Path, Random], None]] = [harm_bytes, harm_kind]
        if file.name != "manifest.json":
            kinds = kinds if random.random() < 0.15 else [_BY_ENDING.get(file.suffix, harm_bytes)]
        if not _is_plain(file):
            continue
        kinds[random.integers(len(kinds))](file, random)
    if sealed and _is_plain(folder / "manifest.json"):
        try:
            seal(folder)
        except (ValueError, TypeError, OSError):
            return
        if random.random() < 0.1:
            harm_json(folder / "manifest.json", random)


def harm_bytes(file: Path, random: Random) -> None:
    """Flip, cut, repeat or insert bytes."""
    content = bytearray(file.read_bytes())
    place = int(random.integers(len(content) + 1))
    match random.integers(4):
        case 0:
            for _ in range(random.integers(1, 6)):
                content[int(random.integers(len(content)))] = int(random.integers(256))
        case 1:
            del content[place:]
        case 2:
            content[place:place] = random.bytes(int(random.integers(1, 50)))
        case _:
            content += content[place:]
    file.write_bytes(content)


def harm_kind(file: Path, random: Random) -> None:
    """Put something that is no file, or another file, in its place."""
    content = file.read_bytes()
    file.unlink()
    match random.integers(8):
        case 0:
            os.mkfifo(file)
        case 1:
            file.mkdir()
        case 2:
            file.symlink_to(file.name)
        case 3:
            file.symlink_to(str(random.choice(["/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem"])))
        case 4:
            with socket.socket(socket.AF_UNIX) as own:
                own.bind(str(file))
        case 5:
            with file.open("wb") as handle:
                handle.truncate(1 << 40)
        case 6:
            file.write_bytes(content)
            shutil.copy(file, file.with_name("second" + file.suffix))
        case _:
            pass


def harm_json(file: Path, random: Random) -> None:
    """Change, drop, rename or repeat one value."""
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return harm_bytes(file, random)
    places = list(_places(value))
    if not places:
        return harm_bytes(file, random)
    parent, key = places[random.integers(len(places))]
    match random.integers(8):
        case 0 if isinstance(parent, dict):
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[str(key)[::-1]] = parent.pop(key)
        case 2 if isinstance(parent, dict):
            parent[str(random.choice(["kind", "x", "width", "\x1b]0;x\a"]))] = _odd(random)
        case 3:
            other, name = places[random.integers(len(places))]
            parent[key] = other[name]
        case 4:
            text = json.dumps(value)
            inner = json.dumps(parent)
            file.write_text(text.replace(inner, inner[:-1] + ", " + inner[1:], 1), encoding="utf-8")
            return None
        case _:
            parent[key] = _odd(random)
    try:
        write_json(file, value)
    except (ValueError, RecursionError):  # a table that is put into itself
        return None
    return None


def harm_arrays(file: Path, random: Random) -> None:
    """Change numbers, types, shapes or names of the arrays of a safetensors file."""
    try:
        arrays = load_file(file)
    except Exception:
        return harm_bytes(file, random)
    name = str(random.choice(sorted(arrays)))
    array = arrays[name]
    match random.integers(9):
        case 0:
            del arrays[name]
        case 1:
            arrays["more"] = array
        case 2:
            types = ["f2", "f4", "f8", "i4", "i8", "u1", "?"]
            arrays[name] = np.nan_to_num(array).astype(str(random.choice(types)))
        case 3:
            arrays[name] = array[..., :-1] if array.ndim and array.shape[-1] else array[None]
        case 4:
            arrays[name] = array.reshape(-1) if array.ndim != 1 else array[:, None]
        case 5 if array.size:
            arrays[name] = random.permutation(array.reshape(-1)).reshape(array.shape)
        case _ if array.size:
            flat = array.copy().reshape(-1)
            odd = ODD_NUMBERS[random.integers(len(ODD_NUMBERS))]
            if flat.dtype.kind != "f":
                odd = 0 if not np.isfinite(odd) else int(np.clip(odd, -(2**62), 2**62))
            count = int(random.choice([1, 3, flat.size]))
            with np.errstate(all="ignore"):
                flat[random.integers(flat.size, size=count)] = np.asarray(odd).astype(flat.dtype)
            arrays[name] = flat.reshape(array.shape)
        case _:
            arrays[name] = np.ones((2, 2), np.float32)
    save_file({key: np.array(value) for key, value in arrays.items()}, file)
    return None


def harm_table(file: Path, random: Random) -> None:  # noqa: PLR0912  (a list of what may be done)
    """Change rows, values, types or columns of a Parquet file."""
    try:
        frame = pl.read_parquet(file)
    except Exception:
        return harm_bytes(file, random)
    if not frame.width:
        return harm_bytes(file, random)
    column = str(random.choice(frame.columns))
    match random.integers(13):
        case 0:
            frame = frame.head(int(random.integers(frame.height + 1)))
        case 1:
            frame = pl.concat([frame, frame])
        case 2:
            frame = frame.with_columns(
                pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise(pl.col(column)).alias(column)
            )
        case 3:
            frame = frame.rename({column: "other"})
        case 4:
            frame = frame.drop(column)
        case 5:
            frame = frame.with_columns(pl.lit(1).alias("more"))
        case 6:
            types = [
                pl.Int64,
                pl.UInt8,
                pl.Float64,
                pl.Boolean,
                pl.Datetime,
                pl.Binary,
                pl.Categorical,
                pl.Date,
            ]
            kind = types[random.integers(len(types))]
            frame = frame.with_columns(
                pl.int_range(pl.len())
                .cast(pl.Int64 if kind in (pl.Binary, pl.Categorical) else kind)
                .alias(column)
            )
        case 7:
            frame = frame.with_columns(pl.lit("x" * 20_000_000).alias(column)).head(
                int(random.integers(1, 20))
            )
        case 8:
            frame = frame.with_columns(pl.lit("").alias(column))
        case 9:
            frame = frame.sample(fraction=1.0, shuffle=True, seed=int(random.integers(1000)))
        case 10:
            frame = frame.with_columns(pl.lit([["a"] * 100]).alias(column))
        case 11:
            frame = pl.DataFrame({column: np.zeros(int(random.choice([10**6, 2 * 10**7])), np.int8)})
        case _:
            frame = frame.with_columns(pl.lit("№1").alias(column))
    frame.write_parquet(file, compression=str(random.choice(["zstd", "snappy", "uncompressed", "gzip"])))  # type: ignore[arg-type]
    return None


def _is_plain(file: Path) -> bool:
    try:
        return file.is_file() and not file.is_symlink() and file.stat().st_size < 1 << 30
    except OSError:
        return False


def _places(value: object) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += [(value, key), *_places(inner)]
    return found


def _odd(random: Random) -> object:
    return ODD_VALUES[random.integers(len(ODD_VALUES))]


_BY_ENDING: dict[str, Callable[[Path, Random], None]] = {
    ".json": harm_json,
    ".safetensors": harm_arrays,
    ".parquet": harm_table,
}
