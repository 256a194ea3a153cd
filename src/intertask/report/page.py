"""The page: which sections a report has, in which order, and the words between tables and plots."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from intertask.evaluate.results import Evaluation
from intertask.report import questions, tables
from intertask.report.drawings import Drawings
from intertask.report.figures import conditions, number
from intertask.report.journal import Journal
from intertask.report.markup import details, gallery, standing_alone
from intertask.report.samples import Sample
from intertask.report.verdict import headline, verdicts
from intertask.terminal.markup import tag, theirs

_MARKS = {"win": "▲", "lose": "▼", "undecided": "◆", "unknown": "○"}


def page(
    evaluation: Evaluation, journal: Journal, recipe: str, samples: Sequence[Sample], drawings: Drawings
) -> str:
    """The report as one HTML text that needs nothing beside it."""
    sections = [
        _section("Conditions", _conditions(evaluation)),
        *questions.sections(evaluation, drawings),
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


def _tradeoff(evaluation: Evaluation, drawings: Drawings) -> list[Element]:
    rows = evaluation.tradeoffs
    if not rows:
        return []
    words = (
        f"One list for {rows[0].first} and {rows[0].second}: NDCG@10 of each on its own targets, as the "
        "weights of their log-probabilities move. Nothing is trained again: the objective of a request "
        "chooses the mixture."
    )
    line = conditions(evaluation, rows[0].history)
    return [tag("p", theirs(words)), *gallery(drawings.tradeoff, line), tables.tradeoff(rows, line)]


def _training(evaluation: Evaluation, journal: Journal, drawings: Drawings) -> list[Element]:
    content: list[Element] = []
    kept = journal.kept_epoch
    words = [
        f"Training stopped: {journal.stop}."
        if journal.stop
        else "The journal does not say why training stopped.",
        f"The weights of epoch {kept} were kept." if kept is not None else "",
        *journal.told,
        f"Unreadable journal lines left out: {journal.unreadable}." if journal.unreadable else "",
    ]
    if journal.steps or journal.validations:
        content.append(tag("p", theirs(" ".join(filter(None, words)))))
    seed = evaluation.provenance.seed
    split = evaluation.protocol.split.replace("_", "-")
    line = f"training and validation data · {split} · seed {seed} · data {evaluation.protocol.data[:8]}"
    content += gallery(drawings.training, line)
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
        content.append(details("Validation metrics by epoch", table, opened=not drawings.drawn))
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


def _missing(drawings: Drawings) -> Element | None:
    if drawings.drawn:
        return None
    words = (
        "This report has no plots because matplotlib is not installed: run ",
        "pip install 'intertask[plots]'",
    )
    return tag("p", words[0], tag("code", words[1]), " and write it again.", class_="quiet")
