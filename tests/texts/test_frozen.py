"""Vectors of texts from an encoder that does not learn."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from intertask.errors import IntertaskError
from intertask.texts import frozen, pretrained
from tests.encoder_folders import encoder_folder

TEXTS = ["red shoes for running", "a book", "red shoes for running", "green tea of the mountains"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder_folder(tmp_path_factory.mktemp("encoders") / "tiny", TEXTS)


def test_vectors_are_those_of_each_text_alone(encoder: Path) -> None:
    together = frozen.embed(TEXTS, encoder)
    assert together.shape == (4, 16)
    for text, vector in zip(TEXTS, together, strict=True):
        checkpoint = pretrained.find(encoder)
        ids = torch.tensor([checkpoint.tokenizer.encode(text).ids])
        with torch.no_grad():
            alone = checkpoint.load()(input_ids=ids)[0][0].mean(0)
        np.testing.assert_allclose(vector, alone, atol=1e-5)


def test_first_is_the_state_of_the_first_token(encoder: Path) -> None:
    assert not np.allclose(frozen.embed(TEXTS, encoder, pooling="first"), frozen.embed(TEXTS, encoder))


def test_known_texts_are_read_from_the_cache(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = frozen.embed(TEXTS, encoder, cache=tmp_path)
    more = frozen.embed([*TEXTS, "a new one"], encoder, cache=tmp_path)
    monkeypatch.setattr(pretrained.Checkpoint, "load", None)  # whoever encodes fails
    np.testing.assert_array_equal(frozen.embed(TEXTS[::-1], encoder, cache=tmp_path), made[::-1])
    np.testing.assert_array_equal(frozen.embed(["a new one"], encoder, cache=tmp_path), more[-1:])


def test_other_weights_and_settings_share_no_cache(encoder: Path, tmp_path: Path) -> None:
    other = encoder_folder(tmp_path / "other", TEXTS, seed=1)
    for made, how in (
        (frozen.embed(TEXTS, encoder, cache=tmp_path / "kept"), {}),
        (frozen.embed(TEXTS, encoder, pooling="first", cache=tmp_path / "kept"), {"pooling": "first"}),
        (frozen.embed(TEXTS, encoder, max_length=4, cache=tmp_path / "kept"), {"max_length": 4}),
    ):
        np.testing.assert_array_equal(made, frozen.embed(TEXTS, encoder, **how))
    strange = frozen.embed(TEXTS, other, cache=tmp_path / "kept")
    np.testing.assert_array_equal(strange, frozen.embed(TEXTS, other))


def test_a_damaged_cache_is_made_again(encoder: Path, tmp_path: Path) -> None:
    made = frozen.embed(TEXTS, encoder, cache=tmp_path)
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-7])
    np.testing.assert_array_equal(frozen.embed(TEXTS, encoder, cache=tmp_path), made)


def test_missing_empty_and_broken_texts_have_vectors(encoder: Path) -> None:
    vectors = frozen.embed([None, "", "\ud83d", "x" * 10_000], encoder, max_length=64)
    assert np.isfinite(vectors).all()
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert frozen.embed([], encoder).shape == (0, 16)


OTHER_NUMBERS = {
    "of another": ("hidden_size", 32),
    "deeper": ("num_hidden_layers", 3),
    "unknown": ("model_type", "my_own_code"),
    "fewer vectors": ("vocab_size", 5),
    "no room": ("max_position_embeddings", 3),
}


def _spoil(folder: Path, how: str) -> None:
    weights = folder / "model.safetensors"
    if how == "pickled":
        weights.rename(folder / "pytorch_model.bin")
    elif how == "none":
        weights.unlink()
    elif how == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how in OTHER_NUMBERS:
        name, number = OTHER_NUMBERS[how]
        config = folder / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {name: number}))
    elif how == "a folder":
        weights.unlink()
        weights.mkdir()
    elif how == "not finite":
        tensors = load_file(weights)
        tensors["encoder.layer.1.output.dense.bias"][3] = float("nan")
        save_file(tensors, weights, {"format": "pt"})
    elif how == "no config":
        (folder / "config.json").unlink()
    elif how == "broken config":
        (folder / "config.json").write_text("{")
    elif how == "broken tokenizer":
        (folder / "tokenizer.json").write_text("{}")


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("pickled", "pickled weights, pytorch_model.bin"),
        ("none", "no weights"),
        ("truncated", "weights that cannot be read"),
        ("of another", "weights that cannot be read"),
        ("fewer vectors", r"a tokenizer of \d+ tokens for 5 vectors"),
        ("no room", "places for 3 tokens alone"),
        ("a folder", "no weights"),
        ("not finite", "NaN or infinite numbers in encoder.layer.1.output.dense.bias"),
        ("deeper", "weights without encoder.layer.2"),
        ("unknown", "'my_own_code', which transformers does not know"),
        ("no config", "a folder without config.json"),
        ("broken config", "config.json"),
        ("broken tokenizer", "a tokenizer that cannot be read"),
    ],
)
def test_what_is_no_encoder_is_refused_in_a_line(tmp_path: Path, how: str, found: str) -> None:
    folder = encoder_folder(tmp_path / "tiny", TEXTS)
    _spoil(folder, how)
    with pytest.raises(IntertaskError, match=found) as raised:
        frozen.embed(TEXTS, folder)
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)


@pytest.mark.parametrize("name", ["no/such-encoder", "/no/such/folder", "http://x/y", "../../etc"])
def test_a_missing_encoder_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(IntertaskError, match="a folder"):
        frozen.embed(TEXTS, name)


@pytest.mark.parametrize(
    "change",
    [
        {"num_hidden_layers": 10**9},
        {"hidden_size": 10**12},
        {"hidden_size": -3},
        {"num_attention_heads": 5},
        {"hidden_act": "__import__('os')"},
        {"model_type": "no_such"},
        {"model_type": None},
        {"vocab_size": "many"},
    ],
)
def test_configs_that_anybody_wrote_are_refused_in_a_line(encoder: Path, change: dict[str, object]) -> None:
    config = pretrained.find(encoder).config | change
    with pytest.raises(IntertaskError) as raised, torch.device("meta"):
        pretrained.build(config)
    assert "\n" not in str(raised.value)


def test_a_config_runs_no_code_of_its_own(encoder: Path) -> None:
    config = pretrained.find(encoder).config | {
        "auto_map": {"AutoModel": "evil.Model"},
        "attn_implementation": "somebody/kernels",
        "_attn_implementation": "somebody/kernels",
    }
    module = pretrained.build(config)
    assert type(module).__module__.startswith("transformers.")
    assert module.config._attn_implementation == "sdpa"
