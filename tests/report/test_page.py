"""The page of a run: complete, self-contained, and safe whatever its words are."""

import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from intertask.errors import DataError
from intertask.evaluate.results import Evaluation
from intertask.report import Sample, terminal, write
from intertask.report.figures import interval, number, signed, signed_interval

from .conftest import HOSTILE, lay_out

SAMPLES = [
    Sample("u-ÿ", (("Fargo", "view"), (HOSTILE, HOSTILE)), ((f"Heat {HOSTILE}", 8.4142), ("千尋", -1.25)))
]


class _Page(HTMLParser):
    """The text, the elements and the addresses of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(html)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in {"href", "src", "xlink:href", "srcset"}
        ]
        self.ids += [value or "" for name, value in attrs if name == "id"]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory, evaluation: Evaluation) -> Path:
    return write(lay_out(tmp_path_factory.mktemp("run"), evaluation), SAMPLES)


@pytest.fixture
def html(page_file: Path) -> str:
    return page_file.read_text(encoding="utf-8")


def test_every_figure_is_on_the_page(html: str, evaluation: Evaluation) -> None:
    text = _Page(html).text
    for row in (*evaluation.rankings, *evaluation.lists, *evaluation.responses):
        assert row.system in text
        for value in row.metrics.values():
            assert number(value) in text
    for ranking in evaluation.rankings:
        assert f"{ranking.count:,} targets" in text
        for bounds in ranking.intervals.values():
            assert interval(bounds) in text
    for row in evaluation.differences:
        assert signed(row.difference) in text
        assert signed_interval(row.interval) in text
    for mixture in evaluation.tradeoffs:
        assert all(number(value) in text for value in mixture.ndcg.values())
    for place in (place for response in evaluation.responses for place in response.calibration):
        assert number(place.observed) in text


def test_the_conditions_of_the_figures_are_on_the_page(html: str, evaluation: Evaluation) -> None:
    text = _Page(html).text
    for section in (evaluation.protocol, evaluation.provenance):
        for name, value in section.model_dump().items():
            words = "not known to the model" if name == "query_time" else str(value)
            assert (words.replace("_", "-") if name == "split" else words) in text, name


def test_every_table_of_figures_states_its_protocol(html: str) -> None:
    captions = re.findall(r"<caption><span>(.*?)</span>", html)
    assert len(captions) > 8
    assert all("leave-one-out" in caption for caption in captions if "epoch" not in caption)


def test_the_page_needs_nothing_from_outside(html: str) -> None:
    page = _Page(html)
    assert page.addresses
    assert all(address.startswith("#") for address in page.addresses)
    assert not {"script", "link", "iframe", "img", "object", "base"} & set(page.names)
    assert "://" not in html
    assert "@import" not in html
    assert set(re.findall(r"url\(([^)]*)\)", html)) <= {f"#{name}" for name in page.ids}


def test_ids_are_unique_and_links_arrive(html: str) -> None:
    page = _Page(html)
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses} <= set(page.ids)


def test_words_of_users_are_text_and_never_markup(html: str) -> None:
    assert "<script" not in html.lower()
    text = _Page(html).text
    for words in (f"Heat {HOSTILE}", f"als was cut short {HOSTILE}", "u-ÿ", "千尋", 'kind = "gru" # <wide>'):
        assert words in text


def test_plots_lie_beside_the_page_and_inside_it(page_file: Path, html: str) -> None:
    run = page_file.parent
    images = sorted(image.stem for image in (run / "plots").iterdir())
    assert "forest-next-masked-ndcg-10" in images
    assert {"loss-next", "loss-liked", "validation-ndcg-10", "reliability-liked"} <= set(images)
    assert _Page(html).names.count("svg") == len(images)
    assert all((run / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in images)
    assert sorted(file.name for file in run.iterdir()) == [
        "evaluation.json",
        "journal.jsonl",
        "plots",
        "recipe.toml",
        "report.html",
    ]


def test_same_run_gives_the_same_page(run: Path, html: str) -> None:
    assert write(run, SAMPLES).read_text(encoding="utf-8") == html


def test_without_matplotlib_the_tables_remain(
    run: Path, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    html = write(run).read_text(encoding="utf-8")
    assert "intertask[plots]" in html
    assert "<svg" not in html
    assert not (run / "plots").exists()
    test_every_figure_is_on_the_page(html, evaluation)


def test_a_run_without_journal_and_recipe_has_a_report(run: Path) -> None:
    (run / "journal.jsonl").unlink()
    (run / "recipe.toml").unlink()
    html = write(run).read_text(encoding="utf-8")
    assert 'id="task-next"' in html
    assert 'id="training"' not in html
    assert 'id="recipe"' not in html


def test_an_empty_evaluation_has_a_report(run: Path, evaluation: Evaluation) -> None:
    nothing = {"rankings": [], "lists": [], "differences": [], "responses": [], "notes": [], "seconds": {}}
    nothing["findings"] = []
    evaluation.model_copy(update=nothing).write(run / "evaluation.json")
    assert "not compared with any baseline" in write(run).read_text(encoding="utf-8")


def test_what_the_linter_found_stands_above_the_figures(html: str, evaluation: Evaluation) -> None:
    text = _Page(html).text
    for finding in evaluation.findings:
        said = f"{finding.severity.capitalize()}: {finding.text} {finding.advice}"
        assert text.count(said) == 1
        assert text.index(said) < text.index("Best figure of each column")


def test_every_table_of_figures_carries_fingerprint_and_commit(html: str, evaluation: Evaluation) -> None:
    captions = re.findall(r"<caption><span>(.*?)</span>", html)
    of_figures = [caption for caption in captions if "epoch" not in caption]
    for words in (evaluation.protocol.fingerprint(), evaluation.provenance.commit, "metric definitions 1"):
        assert all(words in caption for caption in of_figures)


def test_a_folder_without_evaluation_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluation\.json"):
        write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_half_a_surrogate_pair_in_a_title_does_not_stop_the_report(run: Path) -> None:
    assert write(run, [Sample("u", (("\ud83d", "view"),), ())]).is_file()


def test_too_few_positives_are_named_and_their_auc_is_not_shown(run: Path, evaluation: Evaluation) -> None:
    why = "1 positive among 942 targets, and a verdict needs 20"
    rows = [row.model_copy(update={"too_few": why}) for row in evaluation.responses if row.task == "liked"]
    lacking = evaluation.differences[0].model_copy(update={"task": "liked", "history": "", "too_few": why})
    found = evaluation.model_copy(update={"responses": rows, "differences": [lacking]})
    found.write(run / "evaluation.json")
    console = Console(file=io.StringIO(), width=80, color_system=None)
    terminal.show(found, console)
    file = console.file
    assert isinstance(file, io.StringIO)
    for text in (_Page(write(run).read_text(encoding="utf-8")).text, " ".join(file.getvalue().split())):
        assert f"No verdict: {why}." in text
        assert "too few" in text and "0.7812" not in text and "0.5611" in text


def test_the_plot_of_differences_marks_what_is_not_judged(run: Path, evaluation: Evaluation) -> None:
    rows = [row.model_copy(update={"too_few": "3 targets"}) for row in evaluation.differences]
    evaluation.model_copy(update={"differences": rows}).write(run / "evaluation.json")
    assert "not judged" in _Page(write(run).read_text(encoding="utf-8")).text


class _Tables(HTMLParser):
    """For each table: the classes of what it stands in, and the scope of the first cell of each row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.around: list[str] = []
        self.first: list[str] = []
        self.fresh = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "div":
            self.open.append(named.get("class") or "")
        if tag == "table":
            self.around.append(self.open[-1])
        if tag in ("th", "td") and self.fresh:
            self.first.append(named.get("scope") or tag)
        self.fresh = tag == "tr"

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self.open.pop()


def test_every_table_scrolls_by_itself_and_each_row_begins_with_its_name(html: str) -> None:
    tables = _Tables(html)
    assert set(tables.around) == {"scroll", "pairs"} and tables.around.count("scroll") > 8
    assert set(tables.first) == {"row", "col", "colgroup"}


def test_the_style_keeps_the_first_column_on_a_telephone_and_cuts_no_table_in_print(html: str) -> None:
    style = re.sub(r"\s+", " ", re.findall(r"<style>(.*?)</style>", html, re.DOTALL)[0])
    sticky = re.findall(r"([^{}]*)\{[^{}]*position: sticky; left: 0;[^{}]*\}", style)
    assert any(".scroll th[scope=row]" in rule for rule in sticky)
    printed = style[style.index("@media print") :]
    for rule in (
        ".scroll { overflow: visible; }",
        "break-inside: avoid",
        "white-space: normal",
        "nav { display: none; }",
    ):
        assert rule in printed
