"""What frozen layers make of texts is kept on disk, and changes nothing."""

import pytest
import torch

from intertask.data.seam import INPUT
from intertask.inputs.text import Config
from intertask.nn.backbone import Backbone
from intertask.nn.dimensions import Dimensions
from intertask.texts.activations import Activations
from tests.encoder_folders import encoder_folder
from tests.samples.reviews import reviews

ROWS = reviews(20)
TEXTS = [words[0] for words in ROWS.inputs["text"].to_list()]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return str(encoder_folder(tmp_path_factory.mktemp("encoders") / "tiny", TEXTS, layers=3))


@pytest.fixture
def built(encoder, tmp_path, monkeypatch):
    """Makes an input with some frozen layers, and counts how often the lowest is asked."""
    monkeypatch.setenv("INTERTASK_CACHE", str(tmp_path))

    def make(frozen):
        config = Config(pretrained=encoder, frozen_layers=frozen, dropout=0.0)
        reader = config.fit(ROWS)
        part = config.build(Dimensions(16, 50, ("mood",), fields={INPUT: reader}), None)
        config.prepare(part)
        asked = []
        part.backbone.own.embeddings.register_forward_hook(lambda *_: asked.append("embeddings"))
        part.backbone.layers()[0].attention.register_forward_hook(lambda *_: asked.append("layer"))
        for layer in part.backbone.layers():  # their dropout would draw
            layer.apply(lambda own: setattr(own, "p", 0.0) if isinstance(own, torch.nn.Dropout) else None)
            layer.attention.self.dropout_prob = 0.0
        return part, reader.read(ROWS), asked

    return make


@pytest.mark.parametrize("frozen", [1, 2, 3])
def test_texts_that_are_known_go_through_the_upper_layers_alone(built, frozen):
    part, fields, asked = built(frozen)
    alone = part.eval()(fields).hidden_BLD
    assert "layer" in asked
    asked.clear()
    part.train()
    part(fields)
    assert asked.count("layer") == 1
    part.eval()  # the end of an epoch
    told = part(fields).hidden_BLD
    assert asked.count("layer") == 1
    real = fields.real_BL
    torch.testing.assert_close(told[real], alone[real], atol=1e-5, rtol=1e-5)
    again, fields, asked = built(frozen)  # another run
    torch.testing.assert_close(again.eval()(fields).hidden_BLD[real], alone[real], atol=1e-5, rtol=1e-5)
    assert asked.count("layer") == (frozen < 3)  # for one text, to see what it gives: states, or a tuple


def test_upper_layers_learn_from_what_is_kept(built):
    part, fields, _ = built(2)
    part.train()
    for _ in range(2):
        part.zero_grad()
        (part(fields).hidden_BLD * torch.arange(16)).sum().backward()
        learnt = {name for name, weight in part.named_parameters() if weight.grad is not None}
        assert learnt and all(".layer.2." in name for name in learnt)


def test_other_layers_share_nothing_and_damaged_files_are_passed_over(built, tmp_path):
    part, fields, _ = built(1)
    part.train()(fields)
    part.eval()
    (file,) = tmp_path.glob("layers-*/*.safetensors")
    _, _, asked = built(2)
    file.write_bytes(file.read_bytes()[:-9])
    part, fields, asked = built(1)
    part.eval()(fields)
    assert "layer" in asked
    assert len(list(tmp_path.glob("layers-*"))) == 1


@pytest.mark.parametrize("kind", ["bert", "mpnet", "deberta-v2", "modernbert"])
def test_layers_of_every_form_are_passed_over(kind, tmp_path):
    """Some give a tuple, some have no fused attention: what is kept stands for five frozen layers of six."""
    config = {
        "model_type": kind,
        "vocab_size": 60,
        "hidden_size": 16,
        "num_hidden_layers": 6,
        "pad_token_id": 0,
    }
    config |= {"num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 64}
    part = Backbone(config, frozen_layers=5)
    for weight in part.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    codes_BL = torch.tensor([[5, 9, 7, 33, 21], [8, 50, 3, 0, 0]])
    real_BL = codes_BL > 0
    whole_BLD = part.eval()(codes_BL, real_BL)
    part.kept = Activations(tmp_path)
    part.training = True  # its layers drop nothing all the same
    part(codes_BL, real_BL)
    for own in part.layers()[0].children():
        own.register_forward_hook(lambda *_: pytest.fail("a frozen layer is asked again"))
    torch.testing.assert_close(part(codes_BL, real_BL)[real_BL], whole_BLD[real_BL])
