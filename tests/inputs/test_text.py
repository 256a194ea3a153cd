"""Texts as sequences: readers, tokens, pretrained encoders that become a part of the model."""

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import intertask as it
from intertask.data.rows import Rows
from intertask.data.seam import INPUT
from intertask.errors import IntertaskError
from intertask.inputs._texts import Reader
from intertask.inputs.text import Config
from intertask.nn.dimensions import Dimensions
from intertask.nn.rates import own_rates
from intertask.texts import pretrained, tokens, vocabulary
from tests.encoder_folders import encoder_folder
from tests.samples.reviews import reviews, tagged

ROWS, WORDS = reviews(), tagged()
TEXTS = [words[0] for words in ROWS.inputs["text"].to_list()]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(encoder_folder(tmp_path_factory.mktemp("encoders") / "tiny", TEXTS))


def built(config: Config, rows: Rows, width: int = 16):
    reader = config.fit(rows)
    part = config.build(Dimensions(width, 50, ("mood",), fields={INPUT: reader}), None)
    config.prepare(part)
    config.keep_rates(part, ())
    return part.eval(), reader


# Readers


def test_a_reader_equals_its_json(encoder):
    for config in (Config(), Config(pretrained=encoder, case=True, letters=4), Config(vocabulary="words")):
        reader = config.fit(ROWS)
        assert config.reader(reader.model_dump(mode="json")) == reader
        assert config.fit(ROWS) == reader


@pytest.mark.parametrize("kind", ["pieces", "words", "characters"])
def test_a_vocabulary_knows_training_rows_alone(kind):
    reader = Config(vocabulary=kind, at_least=1, lower=False).fit(ROWS.take(np.arange(100)))
    known = reader.read(ROWS.take(np.array([0]))).codes_N
    strange = Rows.read({"text": ["żółć"]}, texts=["text"])
    assert (known > 1).all()
    assert (reader.read(strange).codes_N == 1).sum() == (1 if kind == "words" else 4)


def test_small_and_capital_letters_are_one_where_asked():
    both = Rows.read({"text": ["red TEA", "RED tea"]}, texts=["text"])
    for lower in (True, False):
        read = Config(lower=lower).fit(ROWS).read(both)
        one, other = (read.take(np.array([row])).codes_N for row in (0, 1))
        assert torch.equal(one, other) == lower


def test_what_does_not_fit_is_cut_counted_and_said(encoder):
    reader = Config(pretrained=encoder, max_tokens=6).fit(ROWS)
    whole = Config(pretrained=encoder).fit(ROWS).read(ROWS).lengths_B
    assert reader.read(ROWS).lengths_B.max() == 6
    assert reader.cut == int((whole > 6).sum()) > 0
    assert f"{reader.cut} of 120 training texts are longer than max_tokens = 6" in reader.notes()[0]


def test_a_limit_beyond_that_of_the_encoder_is_its_own(encoder):
    long = Rows.read({"text": ["red " * 500, "tea"]}, texts=["text"])
    assert Config(pretrained=encoder, max_tokens=500).fit(long).read(long).lengths_B.max() == 64


def test_empty_texts_have_a_place(encoder):
    rows = Rows.read({"text": ["red tea", None, " ", "\u200b"]}, texts=["text"])
    for config in (
        Config(at_least=1),
        Config(pretrained=encoder),
        Config(vocabulary="characters", at_least=1),
    ):
        part, reader = built(config, rows)
        embedded = part(reader.read(rows))
        assert (embedded.layout.lengths_B > 0).all()
        assert embedded.hidden_BLD.isfinite().all()
        assert "3 of 4 training texts are empty" in reader.notes()


def test_texts_without_a_word_are_refused():
    with pytest.raises(IntertaskError, match="texts in the training rows, found empty ones alone"):
        Config().fit(Rows.read({"text": [" ", None]}, texts=["text"]))


def test_columns_are_named_or_all_texts():
    rows = Rows.read({"a": ["red"], "b": ["tea"], "c": ["x"]}, texts=["a", "b"], categories=["c"])
    assert Config().fit(rows).texts == ("a", "b")
    assert Config(columns=("b",)).fit(rows).texts == ("b",)
    with pytest.raises(IntertaskError, match=r"\[input\] columns: expected texts of the rows, as 'a'"):
        Config(columns=("d",)).fit(rows)


@pytest.mark.parametrize(
    "change", [{"tokenizer": "{}"}, {"unit": "x"}, {"max_tokens": 1 << 40}, {"cut": -1}, {"texts": []}]
)
def test_readers_that_no_fit_makes_are_refused(change):
    table = Config().fit(ROWS).model_dump(mode="json") | change
    with pytest.raises(ValueError):
        Reader.model_validate(table)


# Words


def test_a_word_has_a_place_and_a_plain_text_is_parted_like_it(encoder):
    part, reader = built(Config(pretrained=encoder), WORDS)
    assert reader.unit == "words"
    words = WORDS.inputs["words"].to_list()
    read = reader.read(WORDS)
    assert part(read).layout.lengths_B.tolist() == [len(own) for own in words]
    plain = Rows.read({"words": [" ".join(own) for own in words]}, texts=["words"])
    assert torch.equal(reader.read(plain).codes_N, read.codes_N)


def test_the_state_of_a_word_is_that_of_its_first_token(encoder):
    part, reader = built(Config(pretrained=encoder), WORDS)
    rows = Rows.read({"words": [["Teas", "red"], ["red", "x"]]}, texts=["words"])  # Teas: t, e, a, s
    hidden = part(reader.read(rows)).hidden_BLD[0]
    ids = torch.tensor([pretrained.find(encoder).tokenizer.encode("Teas red").ids])
    with torch.no_grad():
        states = pretrained.find(encoder).load()(input_ids=ids)[0][0]
    assert ids.shape[1] > 4
    torch.testing.assert_close(hidden, torch.stack([states[1], states[-2]]), atol=1e-5, rtol=1e-5)


def test_words_that_are_cut_off_have_no_place(encoder):
    part, reader = built(Config(pretrained=encoder, max_tokens=6), WORDS)
    words = [len(own) for own in WORDS.inputs["words"].to_list()]
    lengths = part(reader.read(WORDS)).layout.lengths_B.tolist()
    assert all(length <= min(4, count) for length, count in zip(lengths, words, strict=True))


@given(st.lists(st.lists(st.text(max_size=6), max_size=6), min_size=1, max_size=4))
def test_every_word_has_one_place_whatever_it_holds(texts):
    tokenizer = vocabulary.fitted([["red tea"]], "pieces", 50, 1, True)
    found = tokens.encoded(texts, tokenizer, 10_000, "words")
    begins = np.split(found.begins, np.cumsum(found.lengths)[:-1])
    assert [int(own.sum()) for own in begins] == [max(1, len(words)) for words in texts]
    assert not found.cut.any()


def test_neighbours_are_read_and_have_no_place(encoder):
    rows = WORDS.take(np.arange(6))
    alone, reader = built(Config(pretrained=encoder), WORDS)
    read = Config(pretrained=encoder, context=1).fit(WORDS).read(rows)
    around, own = alone(read), alone(reader.read(rows))
    assert torch.equal(around.layout.lengths_B, own.layout.lengths_B)
    assert not torch.allclose(around.hidden_BLD, own.hidden_BLD)
    assert read.lengths_B[2] == reader.read(rows).lengths_B[1:4].sum() - 4  # without their marks


def test_other_documents_are_no_neighbours(encoder):
    words = WORDS.inputs["words"].to_list()[:4]
    rows = Rows.read({"words": words, "of": ["a", "a", "b", "b"]}, texts=["words"], group="of")
    lengths = Config(pretrained=encoder, context=3).fit(rows).read(rows).lengths_B
    assert lengths[0] == lengths[1] and lengths[2] == lengths[3]


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("", tokens.NO_WORD),
        ("red", tokens.LOWER),
        ("我", tokens.LOWER),
        ("Tea", tokens.TITLE),
        ("UK", tokens.UPPER),
        ("A", tokens.LETTER),
        ("iPhone", tokens.MIXED),
        ("1996", tokens.DIGITS),
        ("1.5", tokens.DIGITS),
        ("B2", tokens.WITH_DIGIT),
        ("--", tokens.MARK),
    ],
)
def test_words_are_told_by_how_they_are_written(word, case):
    assert tokens.case_of(word) == case


def test_case_and_letters_tell_what_the_encoder_does_not_see(encoder):
    rows = Rows.read({"words": [["uk", "red"], ["UK", "red"]]}, texts=["words"])
    for options, differs in (({}, False), ({"case": True}, True), ({"letters": 4}, True)):
        part, reader = built(Config(pretrained=encoder, **options), WORDS)
        with torch.no_grad():
            for own in part.parameters():
                own.add_(torch.randn(own.shape, generator=torch.Generator().manual_seed(0)) * 0.02)
        one, other = part(reader.read(rows)).hidden_BLD
        assert torch.allclose(one[0], other[0]) != differs


def test_pairs_tell_who_stands_beside_whom(encoder):
    rows = Rows.read({"words": [["red", "tea", "old"], ["tea", "red", "old"], ["tea"]]}, texts=["words"])
    part, reader = built(Config(vocabulary="words", at_least=1, pairs=10_000, dropout=0.0), rows)
    assert part.pairs is not None
    with torch.no_grad():
        part.places.weight.zero_()
    whole = part(reader.read(rows)).hidden_BLD
    alone = part(reader.read(rows.take(np.array([2])))).hidden_BLD
    torch.testing.assert_close(whole[2, :1], alone[0])  # padding is nobody's neighbour
    assert not torch.allclose(whole[0, 0], whole[1, 1]) and not torch.allclose(whole[0, 2], whole[1, 2])
    with torch.no_grad():
        part.pairs.table.weight.zero_()
    bare = part(reader.read(rows)).hidden_BLD
    assert torch.equal(bare[0, 0], bare[1, 1])


# Pretrained encoders


def test_a_pretrained_encoder_is_read_as_it_was_saved(encoder):
    part, reader = built(Config(pretrained=encoder), ROWS)
    embedded = part(reader.read(ROWS))
    ids = torch.tensor([pretrained.find(encoder).tokenizer.encode(TEXTS[3]).ids])
    with torch.no_grad():
        own = pretrained.find(encoder).load()(input_ids=ids)[0][0]
    torch.testing.assert_close(embedded.hidden_BLD[3, : ids.shape[1]], own, atol=1e-5, rtol=1e-5)


def test_lower_layers_learn_more_slowly_and_what_is_new_as_the_rest(encoder):
    part, _ = built(Config(pretrained=encoder, learning_rate=1e-3, layer_decay=0.5, case=True), ROWS)
    rates = own_rates(part)
    named = {name: rates.get(id(weight)) for name, weight in part.named_parameters()}
    assert named["backbone.own.encoder.layer.1.output.dense.weight"] == 1e-3
    assert named["backbone.own.encoder.layer.0.output.dense.weight"] == 5e-4
    assert named["backbone.own.embeddings.word_embeddings.weight"] == 1e-3 / 8
    assert named["case_in.weight"] is None


def test_frozen_layers_stay_and_drop_nothing(encoder):
    part, _ = built(Config(pretrained=encoder, frozen_layers=1), ROWS)
    learnt = {name for name, weight in part.named_parameters() if weight.requires_grad}
    assert learnt and all(".layer.1." in name for name in learnt)
    layers = part.train().backbone.layers()
    assert not layers[0].training and layers[1].training
    with pytest.raises(IntertaskError, match="frozen_layers: expected 2 at most"):
        built(Config(pretrained=encoder, frozen_layers=3), ROWS)


def test_options_of_an_encoder_need_one():
    for option in ({"frozen_layers": 1}, {"layer_decay": 0.9}):
        with pytest.raises(ValueError, match="with pretrained alone"):
            Config(**option)


def recipe(**more: object) -> it.Recipe:
    sections = {"width": 16, "tasks": {"mood": "category"}, "communication": "none"}
    return it.Recipe(**(sections | more))  # type: ignore[arg-type]


def test_an_input_that_was_trained_before_is_trained_gently(encoder):
    gentle = recipe(input={"kind": "text", "pretrained": encoder}, train={"epochs": 2})
    assert (gentle.encoder.kind, gentle.train.average, gentle.train.warmup_share) == ("none", 0.0, 0.1)
    assert gentle.train.epochs == 2 and gentle.input.learning_rate == 1e-4
    assert recipe(input={"kind": "text"}).encoder.kind == "attention"


def test_a_model_needs_the_folder_of_its_encoder_no_more(tmp_path):
    folder = encoder_folder(tmp_path / "tiny", TEXTS)
    train = {"epochs": 15, "monitor": "mood/-log_loss", "batch_tokens": 256}
    part = {"kind": "text", "pretrained": str(folder), "learning_rate": 1e-2}
    model = it.Predictor(recipe(input=part, train=train)).fit(ROWS)
    model.save(tmp_path / "model")
    for file in folder.iterdir():
        file.unlink()
    again = it.Predictor.load(tmp_path / "model")
    asked = [{"text": "a great red tea"}, {"text": "a poor red tea"}, {"text": None}]
    assert again.predict(asked).equals(model.predict(asked))
    assert again.predict(asked)["mood"].to_list()[:2] == ["good", "bad"]
    evaluation = again.evaluate(ROWS)
    by_system = {row.system: row.metrics["accuracy"] for row in evaluation.responses}
    assert by_system["intertask"] > 0.8
    assert by_system["linear"] > 0.8  # TF-IDF of the same rows
    assert "trees" not in by_system


def test_texts_are_learned_from_nothing():
    model = it.Predictor(
        recipe(input={"kind": "text"}, train={"epochs": 20, "monitor": "mood/-log_loss", "batch_tokens": 256})
    ).fit(ROWS)
    answers = model.predict(pl.DataFrame({"text": ["happy", "awful", "the UK of great Tea"]}))
    assert answers["mood"].to_list() == ["good", "bad", "good"]


def test_the_batch_around_a_text_does_not_change_its_answer():
    model = it.Predictor(recipe(input={"kind": "text"}, train={"epochs": 1, "batch_tokens": 256})).fit(ROWS)
    together = model.predict(pl.DataFrame({"text": TEXTS}))
    for row in (0, 7, 30):
        alone = model.predict([{"text": TEXTS[row]}])
        np.testing.assert_allclose(alone["mood=good"], together["mood=good"][row : row + 1], atol=1e-6)


@pytest.mark.parametrize("spoilt", ["no/such-encoder", "/no/such/folder"])
def test_a_missing_encoder_is_said_before_training(spoilt, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(IntertaskError, match="pretrained"):
        it.Predictor(recipe(input={"kind": "text", "pretrained": spoilt})).fit(ROWS)
