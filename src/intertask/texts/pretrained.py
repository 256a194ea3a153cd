"""A pretrained encoder of texts: a folder in the form of Hugging Face, or its name on the hub.

Weights come from safetensors alone, and no code of a checkpoint is ever run. `transformers` is an extra.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from intertask.errors import IntertaskError, RecipeError
from intertask.storage.files import sha256
from intertask.storage.untrusted import read_bytes, read_json
from intertask.texts.configs import cleaned, longest, refuse_extremes, whole_config

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST_TOKENS = 4  # of a text, with what an encoder puts around it
CONFIG_BYTES, TOKENIZER_BYTES = 1 << 20, 64 << 20
_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
_WANTED = (*_FILES, "preprocessor_config.json", "*.safetensors", "model.safetensors.index.json")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
_NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
_UNUSED = re.compile(r"(^|\.)(pooler|lm_head|cls|classifier|token_type_ids|position_ids)(\.|$)")


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds an encoder.

    Args:
        folder: Where it is.
        name: As the user called it.
    """

    folder: Path
    name: str

    @cached_property
    def config(self) -> dict[str, Any]:
        """What `config.json` says, without what names code.

        Raises:
            RecipeError: It is none, or of no encoder.
        """
        try:
            table = read_json(self.folder / "config.json", CONFIG_BYTES)
        except IntertaskError as error:
            raise self.wrong(f"config.json: {error.found}") from None
        if not isinstance(table, dict) or not isinstance(table.get("model_type"), str):
            raise self.wrong("a config.json without model_type")
        return cleaned(table)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over weights, config and tokenizer."""
        total = hashlib.sha256(json.dumps(self.config, sort_keys=True).encode())
        total.update(self.tokenizer.to_str().encode())
        for file in sorted(self.folder.glob("*.safetensors")):
            total.update(sha256(file).encode())
        return total.hexdigest()

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        """The tokenizer, which neither cuts nor pads.

        Raises:
            RecipeError: There is none that can be read.
        """
        from tokenizers import Tokenizer

        file = self.folder / "tokenizer.json"
        try:
            if file.exists():
                found = Tokenizer.from_str(read_bytes(file, TOKENIZER_BYTES).decode("utf-8"))
            else:  # an older checkpoint, whose words stand in a file of another form
                found = _converted(self.folder)
        except Exception as error:  # the library raises Exception itself
            raise self.wrong(f"a tokenizer that cannot be read: {error}") from None
        found.no_truncation()
        found.no_padding()
        return found

    def load(self) -> nn.Module:
        """The encoder with its weights, in evaluation mode.

        Raises:
            RecipeError: The weights are missing, or not those of its config.
        """
        import transformers

        try:
            with _quiet():
                module, found = transformers.AutoModel.from_pretrained(
                    self.folder,
                    config=whole_config(self.config),
                    local_files_only=True,
                    trust_remote_code=False,
                    use_safetensors=True,
                    dtype=torch.float32,
                    output_loading_info=True,
                )
        except Exception as error:  # of many kinds: what is wrong with a foreign folder is the folder's fault
            raise self.wrong(f"weights that cannot be read: {_first_line(error)}") from None
        missing = sorted(name for name in found["missing_keys"] if not _UNUSED.search(name))
        if missing:
            raise self.wrong(f"weights without {missing[0]} and {len(missing) - 1} others")
        for name, weight in module.named_parameters():
            if not weight.isfinite().all():
                raise self.wrong(f"NaN or infinite numbers in {name}")
        module.eval()
        return module  # type: ignore[no-any-return]

    def refuse_strange_tokens(self) -> None:
        """Refuse a tokenizer that writes tokens for which there is no vector, and room for hardly any.

        Raises:
            RecipeError: As it says.
        """
        known = self.config.get("vocab_size")
        written = max(self.tokenizer.get_vocab(with_added_tokens=True).values(), default=0) + 1
        if isinstance(known, int) and written > known:
            raise self.wrong(
                f"a tokenizer of {written:,} tokens for {known:,} vectors, that of another encoder"
            )
        if longest(self.config) < LEAST_TOKENS:
            raise self.wrong(f"places for {longest(self.config)} tokens alone")

    def wrong(self, found: str) -> RecipeError:
        """The refusal of this folder."""
        return RecipeError(
            f"pretrained {self.name!r}",
            "a folder with config.json and model.safetensors of an encoder, and of texts tokenizer.json",
            found,
            "save the encoder again with save_pretrained",
        )


def find(name: str | Path) -> Checkpoint:
    """The encoder of texts of a folder, or of a name on the hub, fetched unless HF_HUB_OFFLINE is set.

    Raises:
        RecipeError: There is none, its weights are pickled, or the extra `text` is not installed.
    """
    checkpoint = folder_of(name)
    if not isinstance(checkpoint.config.get("hidden_size", checkpoint.config.get("dim")), int):
        raise checkpoint.wrong(f"model_type {checkpoint.config['model_type']!r} without hidden_size")
    checkpoint.refuse_strange_tokens()
    return checkpoint


def folder_of(name: str | Path) -> Checkpoint:
    """The same of an encoder of anything, whose tokenizer nobody has looked at."""
    require_transformers()
    place = Path(name).expanduser()
    folder = place if place.is_dir() else _fetched(str(name))
    if not (folder / "config.json").is_file():
        there = "an empty folder" if not any(folder.iterdir()) else "a folder without config.json"
        raise Checkpoint(folder, str(name)).wrong(there)
    if not any(file.is_file() for file in folder.glob("*.safetensors")):
        pickled = next((file.name for pattern in _PICKLED for file in sorted(folder.glob(pattern))), None)
        raise RecipeError(
            f"pretrained {str(name)!r}",
            "weights in model.safetensors",
            f"pickled weights, {pickled}, which may run code" if pickled else "no weights",
            "save the encoder again with save_pretrained(..., safe_serialization=True)",
        )
    checkpoint = Checkpoint(folder, str(name))
    _refuse_others(checkpoint)
    return checkpoint


def require_transformers() -> None:
    """Refuse to go on without the extra `text`.

    Raises:
        RecipeError: It is not installed.
    """
    try:
        import tokenizers  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise RecipeError(
            "pretrained", "the package transformers", str(error), "pip install 'intertask[text]'"
        ) from None


def tokenizer_of(text: str) -> "Tokenizer":
    """The tokenizer that JSON of the library `tokenizers` says.

    Raises:
        ValueError: It says none.
    """
    require_transformers()
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # the library raises Exception itself
        raise ValueError(f"a tokenizer of the library tokenizers: {error}") from None


def build(config: Mapping[str, Any]) -> nn.Module:
    """An encoder of a config without the weights that were learned.

    Raises:
        RecipeError: The config is of none.
    """
    refuse_extremes(config)
    require_transformers()
    import transformers
    from transformers import initialization

    try:
        with initialization.no_init_weights(), _quiet():
            module: nn.Module = transformers.AutoModel.from_config(  # type: ignore[no-untyped-call]
                whole_config(config), dtype=torch.float32
            )
    except Exception as error:  # of many kinds: anybody may have written the config
        raise RecipeError("[input] pretrained", "the config of an encoder", _first_line(error)) from None
    return module


def _refuse_others(checkpoint: Checkpoint) -> None:
    """Refuse models that are no encoder: those that write text, and kinds that nobody knows."""
    from transformers import CONFIG_MAPPING

    kind = checkpoint.config["model_type"]
    if kind not in CONFIG_MAPPING:
        raise checkpoint.wrong(f"model_type {kind!r}, which transformers does not know")
    for flag in ("is_encoder_decoder", "is_decoder"):
        if checkpoint.config.get(flag):
            raise checkpoint.wrong(f"{flag} = true, a model that writes text")
    refuse_extremes(checkpoint.config)


def _fetched(name: str) -> Path:
    """The folder of a name on the hub."""
    from huggingface_hub import constants, snapshot_download

    offline = constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").lower() in (
        "1",
        "true",
        "yes",
        "on",
    )
    if not _NAME.fullmatch(name):
        raise RecipeError(
            f"pretrained {name!r}", "a folder, or a name on the hub", "neither", "check the path"
        )
    try:
        with _quiet():
            return Path(snapshot_download(name, allow_patterns=list(_WANTED), local_files_only=offline))
    except Exception as error:  # of the hub, of HTTP, of the network
        why = "HF_HUB_OFFLINE is set" if offline else _first_line(error)
        raise RecipeError(
            f"pretrained {name!r}",
            "a folder, or a name on the hub",
            f"no such folder, and nothing on the hub: {why}",
            "check the path, or fetch the encoder first",
        ) from None


def _converted(folder: Path) -> "Tokenizer":
    from transformers import AutoTokenizer

    with _quiet():
        found = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    return found.backend_tokenizer


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's bars and warnings, which are set for the whole process."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        with suppress(AttributeError):
            if shown:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
