import errno
import json
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

import intertask
from intertask import Recommender, artefact
from intertask.artefact.log import LogArtefact
from intertask.errors import ArtefactError, IntertaskError
from tests import hostile, shop

FILES = (
    "manifest.json",
    "recipe.json",
    "schema.json",
    "weights.safetensors",
    "histories.safetensors",
    "items.parquet",
    "users.parquet",
    "catalogue.parquet",
)


@pytest.fixture
def folder(tmp_path):
    shop.recommender().save(tmp_path / "model")
    return tmp_path / "model"


def answers(model: Recommender):
    users = [shop.user_id(number) for number in range(shop.NUM_USERS)]
    ranked = model.recommend(users=users, k=shop.NUM_ITEMS, exclude_seen=False)
    ids = [shop.item_id(number) for number in range(shop.NUM_ITEMS)]
    return ranked, model.predict(users=users, items=ids, task="liked")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def refuse_to_write(*_arguments, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_scores_after_reload_are_the_same_bits(folder):
    for before, after in zip(answers(shop.recommender()), answers(Recommender.load(folder)), strict=True):
        assert before.equals(after)
        score = before.columns[-1]
        assert before[score].to_numpy().tobytes() == after[score].to_numpy().tobytes()


def test_everything_else_comes_back_too(folder, tmp_path):
    loaded, original = Recommender.load(folder), shop.recommender()
    assert loaded.recipe == original.recipe
    assert loaded.users.to_list() == original.users.to_list()
    assert loaded.catalogue.frame.equals(original.catalogue.frame)
    assert loaded.catalogue.roles() == original.catalogue.roles()
    assert loaded.history(shop.user_id(3)).equals(original.history(shop.user_id(3)))
    loaded.save(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


def test_a_model_without_catalogue_and_clock_comes_back(tmp_path):
    unclocked = shop.log(shop.events().with_columns(ts="ts")).coded.drop("time")
    log = type(shop.log())(unclocked, shop.log().report, ("liked",))
    model = Recommender(shop.recipe(train={"epochs": 1, "workers": 0})).fit(log)
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    assert loaded.catalogue is None
    assert loaded.histories.times is None
    assert answers(loaded)[0].equals(answers(model)[0])


def test_the_folder_holds_what_the_manifest_says_and_no_pickle(folder):
    assert sorted(contents(folder)) == sorted(FILES)
    for name, content in contents(folder).items():
        assert content[:2] not in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK"), name
        assert b"cnumpy\n" not in content, name


def test_no_source_file_writes_or_reads_a_pickle():
    sources = sorted(Path(intertask.__file__).parent.rglob("*.py"))
    assert len(sources) > 50
    for file in sources:
        text = file.read_text(encoding="utf-8")
        for word in (
            "torch.save",
            "torch.load",
            "import pickle",
            "import joblib",
            "import dill",
            "allow_pickle=True",
        ):
            assert word not in text, file


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("place", [0.0, 0.37, 0.999])
def test_a_flipped_bit_is_refused_and_the_file_named(name, place, folder):
    content = bytearray((folder / name).read_bytes())
    content[int(place * len(content))] ^= 1 << 3
    (folder / name).write_bytes(content)
    with pytest.raises(ArtefactError, match=rf"{name}: expected SHA-256 .* it is truncated or altered"):
        artefact.load(folder, LogArtefact)


def test_no_flipped_bit_of_the_manifest_changes_what_is_read(folder):
    original, expected = (folder / "manifest.json").read_bytes(), answers(shop.recommender())[0]
    refused = 0
    for place in range(0, len(original), 7):
        content = bytearray(original)
        content[place] ^= 1 << (place % 7)
        (folder / "manifest.json").write_bytes(content)
        try:
            loaded = artefact.load(folder, LogArtefact)
        except ArtefactError as error:
            refused += 1
            assert "\n" not in str(error)
        else:  # blanks, or the version that wrote it
            assert (
                loaded.weights.keys()
                == artefact.as_arrays(dict(shop.recommender().model.named_parameters())).keys()
            )
    assert refused > len(original) // 7 // 2
    (folder / "manifest.json").write_bytes(original)
    assert answers(Recommender.load(folder))[0].equals(expected)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_refused_and_named(name, share, folder):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ArtefactError, match=rf"{name}: expected") as caught:
        Recommender.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_and_named(name, folder):
    (folder / name).unlink()
    with pytest.raises(ArtefactError, match=rf"{name}: expected .* found no such file"):
        Recommender.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_is_refused(name, folder):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(ArtefactError, match=rf"{name}"):
        Recommender.load(folder)


@pytest.mark.parametrize("name", ["notes.txt", "weights.pt", ".hidden"])
def test_a_foreign_file_is_refused_and_named(name, folder):
    (folder / name).write_text("hello")
    with pytest.raises(
        ArtefactError, match=rf"{name}: expected only files of the manifest, found a foreign file"
    ):
        Recommender.load(folder)


def test_of_an_older_format_a_funnel_is_refused_and_all_else_is_read(folder, tmp_path):
    def make_older(place):
        manifest = json.loads((place / "manifest.json").read_text())
        (place / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))

    make_older(folder)
    Recommender.load(folder)
    tasks = {"liked": {"kind": "response", "label": "liked"}}
    tasks["again"] = tasks["liked"] | {"given": "liked"}
    fitted = Recommender(shop.recipe(tasks=tasks, train={"epochs": 1, "workers": 0})).fit(shop.corpus())
    fitted.save(tmp_path / "funnel")
    Recommender.load(tmp_path / "funnel")
    make_older(tmp_path / "funnel")
    with pytest.raises(ArtefactError, match=r"expected format 2 for a funnel, as of again, found format 1"):
        Recommender.load(tmp_path / "funnel")


def test_a_model_of_a_version_that_gave_a_ranking_beside_detached_tasks_a_map_is_read(tmp_path):
    ranking = {"kind": "next_item", "own_map": True}  # which it was not said to have
    tasks = {"next": ranking, "liked": {"kind": "response", "label": "liked", "detached": True}}
    model = Recommender(shop.recipe(tasks=tasks)).fit(shop.corpus())
    model.save(tmp_path / "model")
    recipe = json.loads((tmp_path / "model" / "recipe.json").read_text())
    del recipe["tasks"]["next"]["own_map"]
    hostile.write_json(tmp_path / "model" / "recipe.json", recipe)
    hostile.seal(tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    hostile.write_json(tmp_path / "model" / "manifest.json", manifest | {"version": "0.0.1"})
    loaded = Recommender.load(tmp_path / "model")
    assert "tasks.next.own.weight" in dict(loaded.model.named_parameters())
    loaded.save(tmp_path / "again")
    for one in (loaded, Recommender.load(tmp_path / "again")):
        assert one.recommend([shop.user_id(0)]).equals(model.recommend([shop.user_id(0)]))


def test_a_newer_format_is_refused_with_its_version(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    # A later format may hold keys and files that this version has never heard of.
    (folder / "manifest.json").write_text(
        json.dumps(manifest | {"format": 3, "version": "9.1", "signature": "x"})
    )
    with pytest.raises(ArtefactError) as caught:
        Recommender.load(folder)
    assert str(caught.value) == (
        f"{folder}/manifest.json: expected format 2 or older, found format 3, written by intertask 9.1; "
        "upgrade intertask"
    )


@pytest.mark.parametrize(
    "text", [None, "", "[]", "7", '{"name": "a web page"}', '{"intertask": "report"}', "\x00"]
)
def test_a_folder_of_something_else_is_no_model(text, tmp_path):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"manifest\.json.*: expected"):
        Recommender.load(tmp_path)


def test_weights_of_another_recipe_are_refused(tmp_path):
    stored = shop.recommender()
    stored.save(tmp_path / "model")
    whole = artefact.load(tmp_path / "model", LogArtefact)
    other = LogArtefact(**{**vars(whole), "recipe": shop.recipe(width=16)})
    artefact.save(other, tmp_path / "other")
    with pytest.raises(ArtefactError, match=r"weights\.safetensors: expected the weights of the recipe"):
        Recommender.load(tmp_path / "other")


def test_a_model_replaces_an_older_one_and_an_empty_folder(tmp_path):
    (tmp_path / "model").mkdir()
    for _ in range(2):
        shop.recommender().save(tmp_path / "model")
    assert sorted(contents(tmp_path / "model")) == sorted(FILES)
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "name", ["thesis.txt", "manifest.json", "recipe.json"], ids=["any file", "another manifest", "a run"]
)
def test_a_folder_of_something_else_is_never_replaced(name, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / name).write_text('{"name": "years of work"}')
    before = contents(tmp_path)
    with pytest.raises(ArtefactError, match="expected an empty place, or an older model alone"):
        shop.recommender().save(tmp_path / "home")
    assert contents(tmp_path) == before


def test_what_stands_beside_a_model_is_never_deleted(folder, tmp_path):
    (folder / "thesis.txt").write_text("years of work")
    before = contents(tmp_path)
    with pytest.raises(ArtefactError, match=r"found 'thesis\.txt' beside a model; choose another folder"):
        shop.recommender().save(folder)
    assert contents(tmp_path) == before


def test_a_file_is_never_replaced_by_a_model(tmp_path):
    (tmp_path / "model").write_text("years of work")
    with pytest.raises(ArtefactError, match="found a file; choose another folder"):
        shop.recommender().save(tmp_path / "model")
    assert (tmp_path / "model").read_text() == "years of work"


@pytest.mark.parametrize("failing", ["save_file", "sha256", "_write_parts"])
def test_saving_is_all_or_nothing(failing, folder, tmp_path, monkeypatch):
    before = contents(tmp_path)
    monkeypatch.setattr(artefact, failing, refuse_to_write)
    for place in (folder, tmp_path / "fresh"):
        with pytest.raises(IntertaskError) as caught:
            shop.recommender().save(place)
        assert str(caught.value) == (
            f"{place}: expected a place with room that can be written to, found No space left on device; "
            "free some space or choose another path; nothing was changed"
        )
    monkeypatch.undo()
    assert contents(tmp_path) == before
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    assert answers(Recommender.load(folder))[0].equals(answers(shop.recommender())[0])


def test_every_file_is_as_readable_as_its_neighbours(folder):
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert len(modes) == 1


def test_a_moved_model_is_the_same_model(folder, tmp_path):
    shutil.move(folder, tmp_path / "elsewhere")
    found = Recommender.load(tmp_path / "elsewhere").model.items.weight_ID.detach().numpy()
    assert np.array_equal(found, shop.recommender().model.items.weight_ID.detach().numpy())
