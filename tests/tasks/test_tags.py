"""A tag for each word, from training to an answer."""

import numpy as np
import polars as pl
import pytest
import torch

import intertask as it
from intertask.datasets.token_lines import Config as TokenLines
from intertask.errors import IntertaskError
from intertask.tasks.tags import Config, Known, Tagged
from tests.encoder_folders import encoder_folder
from tests.samples.reviews import lists, tagged

ROWS = tagged(160)
TRAIN = {"epochs": 10, "batch_tokens": 128, "monitor": "tags/f1", "patience": 20, "learning_rate": 2e-2}
PREDICTED = ["B-MOOD", "O", "B-NAME", "I-NAME"]


def recipe(**more: object) -> it.Recipe:
    sections = {
        "width": 16,
        "communication": "none",
        "encoder": "gru",
        "input": {"kind": "text", "vocabulary": "words"},
        "tasks": {"tags": {"kind": "tags"}},
        "evaluation": {"references": {"frequent": {"kind": "frequent_tag"}}},
        "train": TRAIN,
    }
    return it.Recipe(**(sections | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("crf", [False, True])
def test_words_are_tagged_from_rows_to_answers(crf, tmp_path):
    model = it.Predictor(recipe(tasks={"tags": {"kind": "tags", "crf": crf}})).fit(ROWS)
    model.save(tmp_path / "model")
    again = it.Predictor.load(tmp_path / "model")
    answers = again.predict([{"words": "happy the Tea UK"}, {"words": ["happy", "the", "Tea", "UK"]}])
    assert answers["tags"].to_list() == [PREDICTED, PREDICTED]
    assert answers["tags_entities"][0].to_list() == [
        {"kind": "MOOD", "start": 0, "end": 1},
        {"kind": "NAME", "start": 2, "end": 4},
    ]
    by_system = {row.system: row.metrics for row in again.evaluate(ROWS).responses}
    assert by_system["intertask"]["f1"] > 0.9
    assert by_system["intertask"]["f1"] > by_system["frequent"]["f1"] > by_system["base rate"]["f1"]


def test_a_pretrained_encoder_tags_the_first_piece_of_each_word(tmp_path):
    folder = encoder_folder(tmp_path / "tiny", [" ".join(words) for words in lists(20)])
    part = {"kind": "text", "pretrained": str(folder), "learning_rate": 1e-2, "case": True}
    model = it.Predictor(recipe(input=part, encoder="none")).fit(ROWS)
    told = model.predict([{"words": "happy the Tea UK"}])["tags"][0].to_list()
    assert [tag.replace("I-", "B-") for tag in told] == ["B-MOOD", "O", "B-NAME", "B-NAME"]


def test_words_that_do_not_fit_have_no_tag_and_count_as_wrong():
    part = {"kind": "text", "vocabulary": "words", "max_tokens": 4}
    model = it.Predictor(recipe(input=part, train=TRAIN | {"epochs": 1})).fit(ROWS)
    assert len(model.predict([{"words": "happy the Tea UK red red"}])["tags"][0]) == 4
    (own,) = [row for row in model.evaluate().responses if row.system == "intertask"]
    words = [len(own) for own in ROWS.labels["tags"].to_list()]
    assert own.metrics["accuracy"] <= sum(min(4, count) for count in words) / sum(words) + 0.1


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (
            {"words": [["a", "b"], ["c"]], "tags": [["O", "O"], ["O", "B-X"]]},
            "2 tags for 1 words, in 1 rows, as of 'c'",
        ),
        ({"words": ["a b", "c  d"], "tags": [["O", "O"], ["O"]]}, "1 tags for 2 words"),
        ({"words": [["a", "b"], ["c"]], "tags": [["O", "O"], ["O"]]}, "2 to 2,000 different tags"),
    ],
)
def test_tags_that_do_not_match_their_words_are_refused_before_training(table, found):
    rows = it.Rows.read(table, texts=["words"], labels=["tags"], several=["tags"])
    with pytest.raises(IntertaskError, match=found):
        Config().fit("tags", rows)


def test_one_label_a_row_is_refused_with_what_to_do():
    rows = it.Rows.read({"words": ["a", "b"], "tags": ["O", "X"]}, texts=["words"], labels=["tags"])
    with pytest.raises(IntertaskError, match="several = \\['tags'\\]"):
        Config().fit("tags", rows)


def test_tags_in_one_column_of_text_are_parted(tmp_path):
    pl.DataFrame({"words": ["a b", "c"], "tags": ["O B-X", "O"]}).write_csv(tmp_path / "rows.csv")
    rows = it.Rows.read(
        tmp_path / "rows.csv", texts=["words"], labels=["tags"], several=["tags"], label_separator=" "
    )
    assert Config().fit("tags", rows) == Known(tags=("B-X", "O"), often=(1, 2))


def test_rows_without_tags_teach_nothing():
    task = Config().build("tags", _sizes(), None)
    states, lengths = torch.randn(2, 3, 4), torch.tensor([3, 2])
    none = Tagged(torch.full((2, 3), -1), torch.ones(2))
    assert task.loss_of_places(states, lengths, none) is None
    some = Tagged(torch.tensor([[0, 1, 0], [-1, -1, -1]]), torch.ones(2))
    alone = task.eval().loss_of_places(states[:1], lengths[:1], some.take(np.array([0])))
    torch.testing.assert_close(task.loss_of_places(states, lengths, some), alone)


def test_the_loss_of_words_and_of_chains_is_by_word():
    states, lengths = torch.randn(2, 3, 4), torch.tensor([3, 2])
    target = Tagged(torch.tensor([[0, 1, 0], [1, 1, -1]]), torch.ones(2))
    losses = []
    for crf in (False, True):
        torch.manual_seed(0)
        task = Config(crf=crf).build("tags", _sizes(), None).eval()
        losses.append(task.loss_of_places(states, lengths, target))
    torch.testing.assert_close(*losses)  # before pairs are learned a chain is as its places


def _sizes():
    from intertask.nn.dimensions import Dimensions

    return Dimensions(4, 50, ("tags",), answers={"tags": Known(tags=("B-X", "O"), often=(1, 2))})


def test_files_of_token_lines_are_rows(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part).write_text("EU B-ORG\nsays O\n\nno O\n")
    rows = TokenLines(train=tmp_path / "train", test=tmp_path / "test").load(tmp_path)
    assert rows.inputs["words"].to_list() == [["EU", "says"], ["no"]] * 2
    assert rows.roles["part"].to_list() == ["train", "train", "test", "test"]


@pytest.mark.parametrize(
    ("most", "rows"),
    [(0, ["a b", "c", "d e f g", "h", "i"]), (3, ["a b c", "d e f g", "h i"]), (9, ["a b c d e f g", "h i"])],
)
def test_sentences_of_a_document_are_joined_as_far_as_they_fit(tmp_path, most, rows):
    words = [["a b", "c", "d e f g"], ["h", "i"]]
    lines = ["\n\n".join(own.replace(" ", " O\n") + " O" for own in document) for document in words]
    for part in ("train", "test"):
        (tmp_path / part).write_text("-DOCSTART- O\n\n".join(["", *(own + "\n\n" for own in lines)]))
    read = TokenLines(train=tmp_path / "train", test=tmp_path / "test", joined_words=most).load(tmp_path)
    assert [" ".join(own) for own in read.inputs["words"].to_list()] == rows * 2
    assert read.labels["tags"].list.len().to_list() == [len(row.split()) for row in rows] * 2
    assert read.roles["part"].to_list() == ["train"] * len(rows) + ["test"] * len(rows)


@pytest.mark.parametrize("change", [{"tags": ["O", "O"]}, {"often": [1]}, {"tags": ["O"], "often": [1]}])
def test_facts_that_no_fit_makes_are_refused(change):
    with pytest.raises(ValueError):
        Known.model_validate({"tags": ["B-X", "O"], "often": [1, 2]} | change)
