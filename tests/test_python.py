"""What a notebook needs: verbs as functions, recipes that are changed, objects that show themselves."""

import pickle
import pydoc
import shutil
from html.parser import HTMLParser

import pytest

import intertask as it
from intertask.data.event_log import EventLog
from intertask.encoders.lstm import Config as Lstm
from intertask.errors import DataError, RecipeError, RequestError
from intertask.evaluate.results import Evaluation
from intertask.options.config import config_class, kinds
from tests import shop

FOLDERS = (
    "inputs",
    "encoders",
    "communication",
    "tasks",
    "losses",
    "balance",
    "datasets",
    "sources",
    "rankers",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    it.train_recipe(str(shop.write_files(folder)), folder / "run")
    return folder / "run"


# Verbs


def test_a_recipe_is_trained_evaluated_and_compared_in_python(run, tmp_path):
    model = it.Recommender.load(run)
    found = model.evaluate(run=run)
    assert isinstance(found, it.Evaluation) and found.to_frame().height
    other = model.evaluate(run=run)
    compared = it.compare(found, other)
    assert {row.difference for row in compared.rows} == {0.0}
    shutil.copytree(run, tmp_path / "run")
    with pytest.raises(DataError, match="run `intertask evaluate`"):
        it.compare(found, str(tmp_path / "run"))
    with pytest.raises(RequestError, match="compare: expected folders of runs, or evaluations, found int"):
        it.compare(found, 7)


def test_a_study_of_transfer_is_a_frame(run, tmp_path):
    recipe = run.parent / "recipe.toml"
    found = it.transfer(recipe, tmp_path / "study", seeds=[1])
    frame = found.to_frame()
    assert frame["task"].to_list() == ["next", "buys", "liked"]
    assert frame["difference"].to_list() == [row.alone.difference for row in found.tasks]
    assert frame["matched_p_value"].to_list() == [row.matched.p_value for row in found.tasks]
    for seeds in ([], [-1], [True], ["1"], [2**63], [1, 10**23]):
        with pytest.raises(RequestError, match="seeds: expected whole numbers from 0 on"):
            it.transfer(recipe, tmp_path / "study", seeds=seeds)
    with pytest.raises(RequestError, match="part: expected 'validation' or 'test'"):
        it.transfer(recipe, tmp_path / "study", part="train")


def test_the_names_of_the_library_are_what_they_say():
    assert callable(it.compare) and callable(it.transfer) and callable(it.train_recipe)
    assert set(it.__all__) == set(dir(it)) and all(getattr(it, name) for name in it.__all__)


# Recipes


def test_a_recipe_is_changed_by_places_or_by_tables():
    recipe = shop.recipe()
    by_place = recipe.with_({"train.epochs": 7, "tasks.buys.weight": 0.5}, width=16)
    by_table = recipe.with_({"train": {"epochs": 7}, "tasks": {"buys": {"weight": 0.5}}, "width": 16})
    assert by_place == by_table and by_place != recipe == shop.recipe()
    assert (by_place.train.epochs, by_place.width, by_place.tasks["buys"].weight) == (7, 16, 0.5)
    assert by_place.tasks["buys"].behaviour == "buy" and by_place.tasks.keys() == recipe.tasks.keys()
    assert recipe.with_() == recipe and recipe.with_({}) == recipe


def test_another_kind_brings_its_own_options():
    recipe = shop.recipe().with_({"encoder.dropout": 0.4})
    assert recipe.encoder.dropout == 0.4
    for changed in (
        recipe.with_(encoder="hstu"),
        recipe.with_({"encoder.kind": "hstu"}),
        recipe.with_(encoder={"kind": "hstu"}),
    ):
        assert changed.encoder == shop.recipe(encoder={"kind": "hstu"}).encoder
    assert recipe.with_(encoder=Lstm(kind="lstm", dropout=0.1)).encoder.dropout == 0.1
    added = recipe.with_({"tasks.views": {"kind": "next_item", "behaviour": "view"}})
    assert list(added.tasks) == ["next", "buys", "liked", "views"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"widht": 8}, "Recipe.with_ widht: expected one of .*; did you mean 'width'"),
        ({"train.epochz": 8}, r"Recipe.with_ \[train\] epochz: expected one of .*; did you mean 'epochs'"),
        ({"trian.epochs": 8}, "Recipe.with_ trian: expected one of .*; did you mean 'train'"),
        ({"encoder.kind": "grru"}, r"\[encoder\] kind: expected one of .* found 'grru'"),
        ({"encoder.dropuot": 0.1}, r"\[encoder\] dropuot: .*did you mean 'dropout'"),
        ({"width": 0}, "Recipe.with_ width: expected greater than or equal to 1, found 0"),
        ({"width.x": 3}, "width.x: expected tables on the way, found width = 8"),
        ({"exchange": ["next"]}, "the unknown key 'exchange'"),
        ({"tasks.buys": None}, r"\[tasks.buys\]: expected a table with kind"),
        (["width"], "Recipe.with_: expected options by name"),
    ],
)
def test_what_is_no_recipe_is_refused_by_name(changes, line):
    with pytest.raises(RecipeError, match=line):
        shop.recipe().with_(changes)


@pytest.mark.parametrize("folder", FOLDERS)
def test_options_are_called_after_their_file(folder):
    for kind in kinds(folder):
        cls = config_class(folder, kind, "tests")
        assert cls.__name__ == f"{kind}.Config"
    assert f"{kind}.Config" in pydoc.render_doc(cls)


def test_a_recipe_shows_which_options_it_holds():
    shown = repr(shop.recipe())
    assert all(name in shown for name in ("encoder=gru.Config(", "next_item.Config(", "response.Config("))
    assert "encoder=Config(" not in shown
    assert pickle.loads(pickle.dumps(shop.recipe().encoder)) == shop.recipe().encoder  # noqa: S301


# Notebooks


class _Checked(HTMLParser):
    """Elements and text; every element is closed in its turn."""

    def __init__(self, html):
        super().__init__()
        self.open, self.names, self.text = [], set(), ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.open += [tag] if tag not in ("br", "meta") else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


HOSTILE = "<script>x</script>\x1b[2J\u202e"


def test_objects_show_themselves_small_and_escaped():
    frame = shop.events().with_columns(shop.pl.col("action") + HOSTILE)
    log = EventLog.read(frame, user="visitor", item="sku", time="ts", behaviour="action", labels=["liked"])
    recipe = shop.recipe(name=HOSTILE)
    shown = {
        "log": log,
        "untrained": it.Recommender(recipe),
        "trained": shop.recommender(),
        "evaluation": shop.recommender().evaluate().model_copy(update={"model": HOSTILE}),
    }
    for name, thing in shown.items():
        html = thing._repr_html_()
        page = _Checked(html)
        assert page.names <= {"div", "table", "tbody", "tr", "th", "td", "strong", "bdi"}
        assert "\x1b" not in html and "\u202e" not in html and len(html) < 20_000
        assert "<script>x</script>\\x1b[2J\\u202e" in page.text or name == "trained"
        assert "background" not in html and "color:#" not in html  # as light or as dark as what it is in
    assert f"{log.num_events:,}" in _Checked(log._repr_html_()).text
    assert "not trained" in _Checked(shown["untrained"]._repr_html_()).text


def test_an_evaluation_shows_systems_figures_and_verdicts():
    found = shop.recommender().evaluate()
    text = _Checked(found._repr_html_()).text
    assert isinstance(found, Evaluation)
    assert all(word in text for word in ("intertask", "popularity", "ndcg", "not judged", "test"))
    assert found.protocol.fingerprint() in text


def test_an_ordered_log_shows_itself():
    frame = shop.events().drop("ts", "liked").with_row_index("n")
    log = EventLog.read(frame, user="visitor", item="sku", order="n", behaviour="action")
    assert "order" in _Checked(log._repr_html_()).text


def test_what_is_no_path_is_refused_by_every_function(run):
    model = it.Recommender.load(run)
    for wrong in (5, None, b"x", "a\0b"):
        with pytest.raises(RequestError, match="recipe: expected the path of a file, found"):
            it.train_recipe(wrong)
        with pytest.raises(RequestError, match="recipe: expected the path of a file, found"):
            it.transfer(wrong)
        if wrong is not None:
            with pytest.raises(RequestError, match="run: expected the path of a folder, found"):
                model.evaluate(run=wrong)
    with pytest.raises(RequestError, match="to_frame: expected 'figures' or 'differences', found 'figure'"):
        model.evaluate(run=run).to_frame("figure")
