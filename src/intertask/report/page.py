"""The page: which sections a report has, in which order, and the words between tables and plots."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from intertask.evaluate.results import Evaluation, ScoreRow
from intertask.markup import tag, theirs
from intertask.report import tables
from intertask.report.canvas import Plot
from intertask.report.drawings import Drawings
from intertask.report.figures import by_question, conditions, label, main_metric, model_system, number, ranked
from intertask.report.journal import Journal
from intertask.report.markup import standing_alone
from intertask.report.samples import Sample
from intertask.report.verdict import headline, verdicts

_MARKS = {"win": "▲", "lose": "▼", "undecided": "◆", "unknown": "○"}


def page(
    evaluation: Evaluation, journal: Journal, recipe: str, samples: Sequence[Sample], drawings: Drawings
) -> str:
    """The report as one HTML text that needs nothing beside it."""
    sections = [
        _section("Conditions", _conditions(evaluation)),
        _section("Ranking", _ranking(evaluation, drawings)),
        _section("Slices", _slices(evaluation, drawings)),
        _section("List quality", _lists(evaluation)),
        _section("Responses", _responses(evaluation, drawings)),
        _section("Trade-off", _tradeoff(evaluation, drawings)),
        _section("Training", _training(evaluation, journal, drawings)),
        _section("Samples", _samples(samples)),
        _section("Timings", _timings(evaluation, journal)),
        _section("Recipe", [tag("pre", tag("code", recipe), tabindex="0")] if recipe else []),
    ]
    shown = [section for section in sections if section is not None]
    links = [tag("a", section[0].text, href=f"#{section.get('id')}") for section in shown]
    main = tag(
        "main", *_opening(evaluation), tag("nav", *links, aria_label="Sections"), *shown, _missing(drawings)
    )
    return standing_alone(f"{evaluation.model}: evaluation report", main)


def _opening(evaluation: Evaluation) -> list[Element]:
    """The name, the verdict in words, and what a reader must know before the first figure."""
    found = verdicts(evaluation.differences)
    whole = headline(found)
    each = [
        tag(
            "li",
            tag("b", theirs(at.task), f", history {at.history}: " if at.history else ": "),
            _MARKS[at.outcome],
            " ",
            at.sentence,
        )
        for at in found
    ]
    seed, units = evaluation.provenance.seed, evaluation.protocol.unit[1]
    limits = (
        f"Each 95 % interval is a paired bootstrap over {units} for one comparison. It covers which {units} "
        f"were asked, not the luck of training: this is one run, seed {seed}."
    )
    verdict = tag(
        "div",
        tag(
            "p",
            tag("span", _MARKS[whole.outcome], class_="sign", aria_hidden="true"),
            whole.sentence,
            class_="says",
        ),
        tag("ul", *each) if len(found) > 1 else None,
        tag("p", limits, class_="quiet"),
        class_=f"verdict {whole.outcome}",
    )
    line = tag("p", theirs(conditions(evaluation)), class_="quiet")
    header = tag("header", tag("h1", theirs(evaluation.model)), line)
    return [header, verdict, *_told(evaluation)]


def _told(evaluation: Evaluation) -> list[Element]:
    """What the leakage linter found, and the notes of the evaluation itself."""
    found = [
        tag(
            "li",
            tag("b", f"{at.severity.capitalize()}: "),
            theirs(at.text),
            tag("span", f" {at.advice}", class_="quiet"),
        )
        for at in evaluation.findings
    ]
    notes = [tag("li", theirs(note)) for note in evaluation.notes]
    return [
        tag("aside", tag("h2", title), tag("ul", *items), class_="notes")
        for title, items in (("Leakage check", found), ("Notes", notes))
        if items
    ]


def _conditions(evaluation: Evaluation) -> list[Element]:
    return [
        tag(
            "p",
            "Every figure on this page was measured like this. Compare it only with figures that were too.",
        ),
        tables.conditions(evaluation.protocol, evaluation.provenance),
    ]


def _ranking(evaluation: Evaluation, drawings: Drawings) -> list[Element]:
    content: list[Element] = []
    for (task, history), rows in by_question(evaluation.rankings).items():
        whole, model = ranked(rows), model_system(evaluation)
        if not whole:
            continue
        caption = f"{whole[0].count:,} targets in this table. {_line(evaluation, history)}"
        first, *others = tables.cutoffs_of(whole)
        content += [_question(task, history), tables.rankings(whole, model, first, caption)]
        more = [tables.rankings(whole, model, k, caption) for k in others]
        if more:
            content.append(_details(f"At {', '.join(f'k = {k}' for k in others)}", *more))
        content += _differences(evaluation, task, history, drawings)
    if content:
        content.insert(0, tag("p", "Best figure of each column in bold, 95 % bootstrap interval below it."))
    return content


def _differences(evaluation: Evaluation, task: str, history: str, drawings: Drawings) -> list[Element]:
    """The forest plot, the figures it shows beside it, and those of further metrics folded away."""
    compared = [row for row in evaluation.differences if (row.task, row.history) == (task, history)]
    main, line = main_metric(row.metric for row in compared), _line(evaluation, history)
    shown = [row for row in compared if row.metric == main]
    more = [row for row in compared if row.metric != main]
    figures = [_figure(plot) for plot in drawings.forests.get((task, history), [])]
    content = [tag("div", *figures, tables.differences(shown, line), class_="beside")] if shown else []
    if more:
        content.append(_details("Differences at further metrics", tables.differences(more, line)))
    return content


def _slices(evaluation: Evaluation, drawings: Drawings) -> list[Element]:
    content: list[Element] = []
    for (task, history), rows in by_question(evaluation.rankings).items():
        parts: list[ScoreRow] = [row for row in rows if row.slice != "all"]
        if parts:
            line = _line(evaluation, history)
            model, ks = model_system(evaluation), tables.cutoffs_of(parts)
            figures = [tables.slices(parts, model, k, line) for k in ks]
            content += [
                _question(task, history),
                *_gallery(drawings.slices.get((task, history), []), line),
                _details("All systems and metrics by slice", *figures, opened=not drawings.drawn),
            ]
    if content and drawings.drawn:
        metric = label(main_metric(name for row in evaluation.rankings for name in row.metrics))
        content.insert(
            0, tag("p", f"{metric} of the model and the two best baselines; lines are 95 % intervals.")
        )
    return content


def _lists(evaluation: Evaluation) -> list[Element]:
    content: list[Element] = []
    for key in dict.fromkeys((row.task, row.history) for row in evaluation.lists):
        rows = [row for row in evaluation.lists if (row.task, row.history) == key]
        best_first = [row.system for row in ranked(by_question(evaluation.rankings).get(key, []))]
        rows.sort(
            key=lambda row: best_first.index(row.system) if row.system in best_first else len(best_first)
        )
        table = tables.lists(rows, model_system(evaluation), _line(evaluation, key[1]))
        content += [_question(*key), table]
    if content:
        words = (
            "What the lists are like beside being right: the share of the catalogue that is ever shown "
            "(coverage), how rarely seen the items are (novelty), how unlike each other (diversity), and how "
            "much goes to the most popular items (popularity share). None of these has a best direction."
        )
        content.insert(0, tag("p", words))
    return content


def _responses(evaluation: Evaluation, drawings: Drawings) -> list[Element]:
    content: list[Element] = []
    for task in dict.fromkeys(row.task for row in evaluation.responses):
        rows = [row for row in evaluation.responses if row.task == task]
        lacking = f"No verdict: {rows[0].too_few}. " if rows[0].too_few else ""
        line = f"{rows[0].count:,} events. {lacking}{_line(evaluation, None)}"
        content += [tag("h3", theirs(task)), tables.responses(rows, model_system(evaluation), line)]
        if task in drawings.reliability:
            content += _gallery([drawings.reliability[task]], line)
        if any(row.calibration for row in rows):
            bins = tables.calibration(rows, line)
            content.append(_details("Calibration in figures", bins, opened=not drawings.drawn))
    return content


def _tradeoff(evaluation: Evaluation, drawings: Drawings) -> list[Element]:
    rows = evaluation.tradeoffs
    if not rows:
        return []
    words = (
        f"One list for {rows[0].first} and {rows[0].second}: NDCG@10 of each on its own targets, as the "
        "weights of their log-probabilities move. Nothing is trained again: the objective of a request "
        "chooses the mixture."
    )
    line = _line(evaluation, rows[0].history)
    return [tag("p", theirs(words)), *_gallery(drawings.tradeoff, line), tables.tradeoff(rows, line)]


def _training(evaluation: Evaluation, journal: Journal, drawings: Drawings) -> list[Element]:
    content: list[Element] = []
    kept = journal.kept_epoch
    words = [
        f"Training stopped: {journal.stop}."
        if journal.stop
        else "The journal does not say why training stopped.",
        f"The weights of epoch {kept} were kept." if kept is not None else "",
        f"Unreadable journal lines left out: {journal.unreadable}." if journal.unreadable else "",
    ]
    if journal.steps or journal.validations:
        content.append(tag("p", theirs(" ".join(filter(None, words)))))
    seed = evaluation.provenance.seed
    split = evaluation.protocol.split.replace("_", "-")
    line = f"training and validation data · {split} · seed {seed} · data {evaluation.protocol.data[:8]}"
    content += _gallery(drawings.training, line)
    if journal.steps and not drawings.drawn:
        first, last = journal.steps[0], journal.steps[-1]
        items = [
            tag(
                "li",
                theirs(task),
                f": {number(first.losses[task])} at step {first.step}, ",
                f"{number(last.losses[task])} at step {last.step}",
            )
            for task in first.losses
            if task in last.losses
        ]
        content.append(tag("ul", *items))
    if journal.validations:
        table = tables.epochs(journal, kept, f"The epoch that was kept is marked. {line}")
        content.append(_details("Validation metrics by epoch", table, opened=not drawings.drawn))
    return content


def _samples(samples: Sequence[Sample]) -> list[Element]:
    cards = []
    for sample in samples:
        history = [
            tag("li", tag("span", theirs(title)), tag("span", theirs(did), class_="chip"))
            for title, did in sample.history
        ]
        served = [
            tag("li", tag("span", theirs(title)), tag("span", number(score), class_="score"))
            for title, score in sample.recommended
        ]
        past = tag("div", tag("h4", "Last in the history"), tag("ol", *history, class_="past"))
        future = tag("div", tag("h4", "Recommended"), tag("ol", *served, class_="served"))
        cards.append(
            tag("article", tag("h3", "User ", theirs(sample.user)), tag("div", past, future, class_="two"))
        )
    return [tag("div", *cards, class_="cards")] if cards else []


def _timings(evaluation: Evaluation, journal: Journal) -> list[Element]:
    if not (evaluation.seconds or journal.steps):
        return []
    return [
        tag("p", "On ", theirs(evaluation.provenance.machine), "."),
        tables.seconds(evaluation.seconds, journal),
    ]


def _section(title: str, content: Sequence[Element]) -> Element | None:
    name = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title), *content, id=name) if content else None


def _question(task: str, history: str) -> Element:
    return tag("h3", theirs(task), tag("small", f"history {history}"))


def _gallery(plots: Sequence[Plot], line: str) -> list[Element]:
    if not plots:
        return []
    below = [tag("p", line, class_="quiet")] if line else []
    return [tag("div", *map(_figure, plots), class_="gallery"), *below]


def _figure(plot: Plot) -> Element:
    return tag("figure", tag("figcaption", plot.title), plot.svg)


def _details(summary: str, *content: Element, opened: bool = False) -> Element:
    element = tag("details", tag("summary", summary), *content)
    if opened:
        element.set("open", "open")
    return element


def _line(evaluation: Evaluation, history: str | None) -> str:
    return conditions(evaluation, history)


def _missing(drawings: Drawings) -> Element | None:
    if drawings.drawn:
        return None
    words = (
        "This report has no plots because matplotlib is not installed: run ",
        "pip install 'intertask[plots]'",
    )
    return tag("p", words[0], tag("code", words[1]), " and write it again.", class_="quiet")
