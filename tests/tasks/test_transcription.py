"""Transcription: targets and their places, the loss by letter, searches, and a recipe end to end."""

import itertools
import json

import numpy as np
import polars as pl
import pytest
import torch
from pydantic import ValidationError

from intertask import Recipe
from intertask.data.rows import Rows
from intertask.errors import DataError
from intertask.nn.dimensions import Dimensions
from intertask.predictor import Predictor
from intertask.tasks._search import Beam, Language, greedy
from intertask.tasks.transcription import Config, Letters
from tests import worlds
from tests.inputs.sounds import npy, of, patterns, spoken

CONFIG = Config(dropout=0.0)
ABC = "ab c"


def rows(*texts: str | None) -> Rows:
    frame = pl.DataFrame(
        {"x": [1.0] * len(texts), "text": texts}, schema={"x": pl.Float64, "text": pl.String}
    )
    return Rows.read(frame, numbers=["x"], labels=["text"])


def facts(*texts: str) -> Letters:
    return CONFIG.fit("text", rows(*texts))


def target(*texts: str | None):
    own = facts(*[text for text in texts if text])
    labels = np.array(texts, object)
    return CONFIG.target(labels, np.ones(len(labels), np.float32), own)


def head(own: Letters, width: int = 4):
    with worlds.seeded():
        return CONFIG.build("text", Dimensions(width, 1, ("text",), answers={"text": own}), None)


def test_letters_and_words_are_those_of_training_texts():
    own = facts("ab ba", "ab  c")
    assert own.letters == (" ", "a", "b", "c")
    assert own.words == {"ab": 2, "ba": 1, "c": 1}
    assert own.pairs == {"": {"ab": 2}, "ab": {"ba": 1, "c": 1}}


def test_facts_are_their_json():
    own = facts("ab ba", "ab c")
    assert CONFIG.facts(json.loads(own.model_dump_json())) == own


@pytest.mark.parametrize(
    "change", [{"letters": ("a", "a")}, {"often": (1,)}, {"words": {"xyz": 1}}, {"pairs": {"ab": {}}}]
)
def test_hostile_facts_are_refused(change):
    with pytest.raises(ValidationError):
        CONFIG.facts({**facts("ab").model_dump(mode="json"), **change})


def test_no_transcript_teaches_nothing():
    with pytest.raises(DataError, match="transcripts of 1 to"):
        CONFIG.fit("text", rows(None, None))


def test_repeats_need_a_place_between_them():
    assert target("abba", "aaa", "a", None).needed_B.tolist() == [5, 5, 1, 0]


def test_longer_texts_than_places_are_counted_and_refused():
    own = target(*["abba"] * 10)
    with pytest.raises(DataError) as error:
        CONFIG.fitting("text", own, torch.tensor([5] * 8 + [4] * 2))
    assert "2 of 10 training rows are longer, as one of 5 letters at 4 places" in str(error.value)
    assert CONFIG.fitting("text", own, torch.tensor([5] * 10)) is own


def test_a_single_one_of_many_is_left_out_with_a_warning():
    own = target(*["abba"] * 200)
    with pytest.warns(UserWarning, match="1 of 200 training rows are longer"):
        kept = CONFIG.fitting("text", own, torch.tensor([5] * 199 + [4]))
    assert kept.known_B.tolist() == [True] * 199 + [False]


def test_the_loss_is_that_of_all_paths_by_letter():
    own = facts("ab")
    task, states = head(own), torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    loss = task.loss_of_places(states, torch.tensor([3]), target("ab"))
    logs = task.head(states)[0].log_softmax(-1)
    paths = [p for p in itertools.product(range(3), repeat=3) if spelt(p) == [1, 2]]
    total = torch.logsumexp(torch.stack([sum(logs[t, c] for t, c in enumerate(p)) for p in paths]), 0)
    assert loss.item() == pytest.approx(-total.item() / 2, rel=1e-5)


def spelt(path):
    return [code for code, _ in itertools.groupby(path) if code]


def test_the_loss_of_a_letter_is_as_large_in_a_long_text():
    own = facts("ab")
    task = head(own)
    with torch.no_grad():
        task.head.weight.zero_()
        task.head.bias.zero_()
    found = [
        task.loss_of_places(torch.zeros(1, 2 * n, 4), torch.tensor([2 * n]), target("ab" * (n // 2))).item()
        for n in (20, 60, 200)
    ]
    assert max(found) < 1.5 * min(found)
    assert CONFIG.scale(own) == pytest.approx(np.log(2))


def test_padding_does_not_change_the_loss_and_rows_without_text_none():
    own = facts("ab", "b")
    task = head(own)
    states = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    both = target("ab", "b", None)
    lengths = torch.tensor([3, 5, 5])
    found = task.loss_of_places(states, lengths, both)
    other = states.clone()
    other[0, 3:], other[2] = 9.0, -9.0
    assert torch.allclose(task.loss_of_places(other, lengths, both), found)
    assert task.loss_of_places(states[2:], lengths[2:], both.take(np.array([2]))) is None


def logs(*rows_: tuple[float, ...]) -> np.ndarray:
    return np.log(np.array(rows_, np.float32))


def test_greedy_leaves_repeats_and_blanks_out():
    path = [1, 1, 0, 1, 2, 2, 0, 3, 3, 3]
    assert greedy(np.log(np.eye(5, dtype=np.float32)[path] + 1e-6), ABC) == "aab"
    assert greedy(np.log(np.eye(5, dtype=np.float32)[[1, 3, 0, 4]] + 1e-6), ABC) == "a c"


def brute(logs_LC, letters):
    """The likeliest text by the sum over all paths."""
    found: dict[str, float] = {}
    for path in itertools.product(range(logs_LC.shape[1]), repeat=len(logs_LC)):
        text = "".join(letters[code - 1] for code in spelt(path))
        log = float(sum(logs_LC[place, code] for place, code in enumerate(path)))
        found[text] = np.logaddexp(found.get(text, -np.inf), log)
    return max(found, key=found.get)


@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_finds_the_likeliest_text(seed):
    random = np.random.default_rng(seed)
    own = np.log(random.dirichlet(np.ones(3) * 0.7, size=5)).astype(np.float32)
    assert Beam("ab", 1_000)(own) == brute(own, "ab")


def test_a_beam_finds_a_text_that_no_place_likes_best():
    own = logs((0.4, 0.35, 0.25), (0.4, 0.35, 0.25))
    assert greedy(own, "ab") == ""
    assert Beam("ab", 10)(own) == "a"


def test_a_lexicon_allows_its_words_alone():
    own = facts("cab", "ab")
    language = Language(own.words, own.pairs)
    letters = own.letters
    code = {letter: place for place, letter in enumerate(letters, 1)}
    path = np.full((2, 1 + len(letters)), 0.02, np.float32)
    path[0, code["b"]] = path[1, code["a"]] = 0.9  # "ba", which is no word
    found = Beam(letters, 50, language)(np.log(path))
    assert found in {"ab", ""}
    assert Beam(letters, 50)(np.log(path)) == "ba"


def test_pairs_of_words_decide_where_the_sound_does_not():
    own = facts("a b", "a b", "a b", "b a", "c c")
    language = Language(own.words, own.pairs)
    code = {letter: place for place, letter in enumerate(own.letters, 1)}
    path = np.full((3, 1 + len(own.letters)), 1e-3, np.float32)
    path[0, code["a"]] = path[1, code[" "]] = 1.0
    path[2, code["b"]] = path[2, code["c"]] = 0.5
    assert Beam(own.letters, 20, language, weight=1.0)(np.log(path)) == "a b"
    swapped = facts("a c", "a c", "a c", "b a", "b b")
    assert Beam(own.letters, 20, Language(swapped.words, swapped.pairs), weight=1.0)(np.log(path)) == "a c"


def test_a_language_is_a_distribution_over_its_words():
    own = facts("a b", "b a b", "c")
    language = Language(own.words, own.pairs)
    for before in ("", "a", "b"):
        assert 0.9 < sum(np.exp(language.log(word, before)) for word in own.words) < 1.0


def test_no_word_that_fits_is_an_empty_text():
    own = facts("abc abc")
    assert Beam(own.letters, 5, Language(own.words, own.pairs))(logs((0.9, *[0.025] * 4))) == ""


RECIPE = {
    "width": 16,
    "input": {"kind": "audio", "subsample": 2, "kernel": 3, "normalised": "training", "dropout": 0.0},
    "encoder": {"kind": "gru", "direction": "both", "dropout": 0.0},
    "tasks": {"text": {"kind": "transcription", "dropout": 0.0}},
    "split": {"kind": "rows", "train": 0.7, "validation": 0.15},
    "train": {"epochs": 14, "workers": 0, "learning_rate": 0.03, "average": 0.5, "batch_tokens": 256},
    "evaluation": {
        "resamples": 100,
        "references": {"neighbours": {"kind": "neighbours"}, "trees": {"kind": "trees"}},
    },
}


@pytest.fixture(scope="module")
def model() -> Predictor:
    return Predictor(Recipe.model_validate(RECIPE)).fit(spoken(160))


def test_patterns_are_spelt_and_a_folder_answers_as_before(model, tmp_path):
    random = np.random.default_rng(9)
    asked = [{"sound": npy(patterns(text, random))} for text in ("cab ab", "ba")]
    told = model.predict(asked)
    assert told["text"].to_list() == ["cab ab", "ba"]
    model.save(tmp_path / "model")
    assert Predictor.load(tmp_path / "model").predict(asked).equals(told)


def test_every_system_stands_in_the_table(model):
    found = model.evaluate()
    rates = {row.system: row.metrics["word_error_rate"] for row in found.responses}
    assert set(rates) == {"intertask", "base rate", "neighbours"}
    assert rates["intertask"] < 0.1 < rates["base rate"]
    assert any("trees does not answer" in note for note in found.notes)
    assert {row.baseline: row.verdict for row in found.differences}["base rate"] == "better"


def test_transcripts_that_cannot_fit_end_a_training_before_it_begins():
    rows_ = of([npy(np.random.default_rng(place).normal(size=(4, 4))) for place in range(40)], ["abab"] * 40)
    with pytest.raises(DataError, match="are longer, as one of 4 letters at 2 places"):
        Predictor(Recipe.model_validate(RECIPE)).fit(rows_)
