"""Recordings: spectra, rates, ready features, what is no recording, places, and what training changes."""

import io
import json
import pickle

import numpy as np
import pytest
import soundfile
import torch
from pydantic import ValidationError

from intertask.data.seam import INPUT
from intertask.errors import DataError, RecipeError
from intertask.inputs._sounds import Spectrum, _filters, log_mel, resampled, wave
from intertask.inputs.audio import Config
from intertask.nn.dimensions import Dimensions
from intertask.nn.shortened import masked, stretched
from tests import worlds

from .sounds import RATE, npy, of, recording, spoken, tone, tunes


def built(config, reader):
    with worlds.seeded():
        return config.build(Dimensions(16, 1, ("t",), fields={INPUT: reader}), None)


def test_a_tone_is_loud_in_its_own_band():
    spectrum = Spectrum(RATE, 200, 80, 40)
    found = [int(log_mel(tone(hertz), spectrum).mean(0).argmax()) for hertz in (300, 800, 2_000, 3_500)]
    assert found == sorted(set(found))
    assert len(log_mel(tone(300, 1.0), spectrum)) == 1 + (RATE - 200) // 80


def test_twice_as_loud_is_the_log_of_four_everywhere():
    spectrum, random = Spectrum(RATE, 200, 80, 20), np.random.default_rng(0)
    noise = random.normal(size=RATE).astype(np.float32)
    assert np.allclose(log_mel(2 * noise, spectrum) - log_mel(noise, spectrum), np.log(4), atol=1e-3)


@pytest.mark.parametrize(("rate", "size", "bands"), [(8_000, 256, 40), (16_000, 512, 80), (8_000, 32, 100)])
def test_no_band_is_deaf(rate, size, bands):
    assert (_filters(rate, size, bands).sum(0) > 0).all()


def test_a_resampled_tone_keeps_its_pitch():
    other = resampled(tone(440.0, 1.0, 16_000), 16_000, 8_000)
    assert len(other) == 8_000
    assert int(np.abs(np.fft.rfft(other)).argmax()) == 440


def test_channels_are_averaged():
    left, right = tone(400.0), tone(1_000.0)
    rows = of([recording(np.stack([left, right], 1)), recording((left + right) / 2)])
    reader = Config().fit(rows)
    one, other = (reader.frames(file["content"], "x") for file in rows.inputs["sound"])
    assert np.allclose(one, other, atol=0.1)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


NAN = np.full((3, 4), np.nan, np.float32)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (recording(0 * tone(400.0)), "expected a recording, found a silent one"),
        (recording(tone(400.0)[:0], kind="WAV"), "found an empty one: no sample"),
        (b"", "found an empty file"),
        (b"no sound at all", "expected a recording as WAV or FLAC, or features as .npy"),
        (recording(tone(400.0, 1.0, 16_000), 16_000), "expected 8,000 samples a second, found 16,000"),
        (recording(tone(400.0, 3.0)), "at most 2 seconds, found one of 3.0"),
        (
            npy(np.zeros((3, 4))),
            "a recording as WAV or FLAC, as the first that trains, found features as .npy",
        ),
    ],
)
def test_what_is_no_such_recording_is_one_line_with_its_row(content, said):
    rows = of([recording(tone(400.0)), recording(tone(900.0)), content])
    refused(rows, said, Config(longest=2.0))


def test_a_wav_that_is_cut_off_is_refused_and_one_that_was_streamed_is_read():
    whole = recording(tone(400.0), kind="WAV")
    good = [recording(tone(400.0)), recording(tone(900.0))]
    refused(of([*good, cut(whole)]), "3,200 bytes of samples, as its header says, found 1,578")
    streamed = whole[:40] + b"\xff" * 4 + whole[44:]
    assert len(set(Config().fit(of(good)).read(of([whole, streamed])).lengths_B.tolist())) == 1


def test_a_rate_that_nobody_records_at_is_refused_before_memory_is_taken():
    whole = recording(tone(400.0), kind="WAV")
    content = whole[:24] + (2**31 - 1).to_bytes(4, "little") + whole[28:]
    rows = of([recording(tone(400.0)), recording(tone(900.0)), content])
    refused(rows, "100 to 768,000 samples a second", Config(other_rates="resample"))


def test_a_recording_that_is_cut_off_is_refused():
    refused(of([recording(tone(400.0)), *[cut(recording(tone(400.0, 1.0)))] * 2]), "row 2")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy(NAN), "expected finite numbers, found NaN or infinite ones"),
        (npy(np.zeros(4)), "an array of numbers [frames, features], found float64 of the shape [4]"),
        (npy(np.zeros((0, 4))), "found an empty one: no frame"),
        (npy(np.zeros((2, 3))), "expected 4 numbers a frame, found 3"),
        (npy(np.array([["a"]])), "found <U1 of the shape"),
        (npy(np.zeros((2, 4)))[:-5], "a damaged file"),
        (b"\x93NUMPY\x01\x00", "a damaged file"),
        (recording(tone(400.0)), "expected features as .npy, as the first that trains"),
        (npy(np.zeros((300, 4))), "200 frames at most, found 300"),
    ],
)
def test_what_are_no_such_features_is_one_line_with_its_row(content, said):
    random = np.random.default_rng(0)
    refused(of([*[npy(random.normal(size=(5, 4)))] * 2, content]), said, Config(longest=2.0))


def test_features_with_pickled_objects_are_never_unpickled(tmp_path):
    class Loud:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": "|O", "fortran_order": False, "shape": (1, 1)})
    held.write(pickle.dumps(Loud()))
    refused(of([npy(np.eye(4)), npy(np.eye(4)), held.getvalue()]), "a damaged file")
    assert not (tmp_path / "made").exists()


def test_a_header_that_names_gigabytes_is_refused_before_they_are_allocated():
    held = io.BytesIO()
    shape = (10**9, 4)
    np.lib.format.write_array_header_1_0(held, {"descr": "<f4", "fortran_order": False, "shape": shape})
    refused(of([npy(np.eye(4)), npy(np.eye(4)), held.getvalue()]), "numbers, found 4,000,000,000")


def refused(rows, said, config=None):
    with pytest.raises(DataError) as error:
        (config or Config()).fit(rows)
    assert said in str(error.value)
    assert "sound row" in str(error.value)
    assert "\n" not in str(error.value)


def test_another_rate_is_resampled_where_that_is_said():
    rows = of([recording(tone(400.0, 0.5)), recording(tone(400.0, 0.5, 16_000), 16_000)])
    read = Config(other_rates="resample", subsample=1).fit(rows).read(rows)
    assert abs(int(read.counts[0]) - int(read.counts[1])) <= 1


def test_the_stated_rate_is_that_of_all():
    rows = of([recording(tone(400.0)), recording(tone(500.0))])
    with pytest.raises(DataError, match="expected 16,000 samples a second, found 8,000"):
        Config(rate=16_000).fit(rows)
    assert Config(rate=16_000, other_rates="resample").fit(rows).rate == 16_000


def test_recordings_that_are_all_alike_teach_nothing():
    with pytest.raises(DataError, match="recordings that differ"):
        Config().fit(of([npy(np.ones((3, 4)))] * 3))


def test_an_even_kernel_is_refused():
    with pytest.raises(ValidationError, match="an odd number"):
        Config(kernel=4)


def test_statistics_are_those_of_training_rows():
    rows = spoken(20)
    train = rows.take(np.arange(10))
    reader = Config(normalised="training", subsample=1).fit(train)
    values = reader.read(train).values_NX.double()
    assert values.mean(0).abs().max() < 1e-5
    assert (values.std(0, correction=0) - 1).abs().max() < 1e-5
    assert Config().fit(rows.take(np.arange(10, 20))).means != reader.means


def test_each_recording_is_normalised_by_itself():
    random = np.random.default_rng(0)
    own = random.normal(size=(50, 4)).astype(np.float32)
    rows = of([npy(own), npy(3 * own + 7), npy(random.normal(size=(9, 4)))])
    read = Config(subsample=1).fit(rows).read(rows)
    assert torch.allclose(read.values_NX[:50], read.values_NX[50:100], atol=1e-4)


def test_deltas_tell_how_fast_a_number_rises():
    rows = of(
        [npy(np.arange(20)[:, None] * np.ones((1, 2))), npy(np.random.default_rng(0).normal(size=(9, 2)))]
    )
    read = Config(deltas=True, subsample=1).fit(rows).read(rows).take(np.array([0]))
    assert read.values_NX.shape == (20, 6)
    assert read.values_NX[:, 2].std() < 1e-4 < read.values_NX[:, 2].mean()
    assert read.values_NX[:, 4].abs().max() < 1e-4


def test_a_reader_is_its_json():
    reader = Config(deltas=True).fit(tunes())
    again = Config().reader(json.loads(reader.model_dump_json()))
    assert again == reader
    assert torch.equal(again.read(tunes()).values_NX, reader.read(tunes()).values_NX)


@pytest.mark.parametrize("change", [{"means": (0.0,)}, {"rate": -1}, {"halvings": 9}, {"numbers": 0}])
def test_a_hostile_reader_is_refused(change):
    with pytest.raises(ValidationError):
        Config().reader({**Config().fit(tunes()).model_dump(mode="json"), **change})


@pytest.mark.parametrize("subsample", [1, 2, 4, 8])
def test_places_become_fewer_and_rows_do_not_feel_each_other(subsample):
    rows = tunes()
    config = Config(subsample=subsample)
    reader = config.fit(rows)
    module, read = built(config, reader).eval(), reader.read(rows)
    together = module(read)
    assert together.layout.lengths_B.tolist() == read.lengths_B.tolist()
    assert read.lengths_B.tolist() == [-(-count // subsample) for count in read.counts]
    for row in range(len(rows)):
        alone = module(read.take(np.array([row]))).hidden_BLD[0]
        assert torch.allclose(together.hidden_BLD[row, : len(alone)], alone, atol=1e-5)


def test_training_masks_and_stretches_and_evaluation_does_not():
    rows = tunes()
    config = Config(mask_spans=2, mask_bands=2, stretch=0.2, dropout=0.0)
    reader = config.fit(rows)
    module, read = built(config, reader), reader.read(rows)
    with worlds.seeded():
        lengths = {tuple(module.train()(read).layout.lengths_B.tolist()) for _ in range(8)}
    assert len(lengths) > 1
    assert torch.equal(module.eval()(read).hidden_BLD, module(read).hidden_BLD)


def test_a_mask_hides_whole_frames_and_whole_bands_and_leaves_most():
    frames, lengths = torch.ones(200, 50, 10), torch.full((200,), 50)
    with worlds.seeded():
        spans = masked(frames, lengths, 1, 20, 0, 1)
        bands = masked(frames, lengths, 0, 1, 1, 4)
    assert ((spans.sum(2) == 0) | (spans.sum(2) == 10)).all()
    assert ((bands.sum(1) == 0) | (bands.sum(1) == 50)).all()
    hidden = (spans == 0).float().mean((1, 2))
    assert 0 < float(hidden.mean()) <= float(hidden.max()) <= 0.2 + 1 / 50
    assert 0 < float((bands == 0).float().mean()) < 0.4


def test_a_stretched_ramp_is_a_longer_or_shorter_ramp():
    ramp = torch.linspace(0, 1, 100)[None, :, None].repeat(2, 1, 3)
    with worlds.seeded():
        torch.rand(())  # the second number is far from a half
        told, lengths = stretched(ramp, torch.tensor([100, 50]), 0.3)
    assert told.shape[1] != 100
    assert abs(int(lengths[0]) - told.shape[1]) <= 1
    assert abs(int(lengths[1]) * 2 - int(lengths[0])) <= 2
    assert float(told[0, -1, 0]) == pytest.approx(1.0, abs=0.02)
    assert stretched(ramp, lengths, 0.0)[0] is ramp


def test_a_model_for_logs_cannot_have_it():
    with pytest.raises(RecipeError, match="an input of a log"):
        Config().build(Dimensions(8, 1, ("t",)), None)


@pytest.mark.parametrize("kind", ["WAV", "RF64", "FLAC", "OGG", "MP3", "AIFF", "AU"])
def test_a_recording_whose_end_is_missing_is_refused_in_every_form(kind):
    held = io.BytesIO()
    soundfile.write(held, tone(400.0), RATE, format=kind)
    whole = held.getvalue()
    assert len(wave(whole, "a", 10.0)[0]) == len(tone(400.0))
    with pytest.raises(DataError, match=r"cut off|damaged"):
        wave(whole[: len(whole) * 2 // 3], "a", 10.0)


def test_a_form_whose_cut_end_nobody_sees_is_refused():
    held = io.BytesIO()
    soundfile.write(held, tone(400.0), RATE, format="W64", subtype="PCM_16")
    with pytest.raises(DataError, match="expected one of WAV"):
        wave(held.getvalue(), "a", 10.0)
