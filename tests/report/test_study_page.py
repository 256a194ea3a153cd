import re
import sys

import pytest
from rich.console import Console

from intertask.evaluate.cosines import Cosines
from intertask.evaluate.gains import Change, Cost, TaskTransfer, Transfer
from intertask.evaluate.protocol import EventsProtocol
from intertask.evaluate.reading import Reading
from intertask.evaluate.results import Interval
from intertask.report import study_page, write_transfer
from intertask.report.figures import MINUS

PROTOCOL = EventsProtocol(
    data="0" * 64,
    split="leave_one_out",
    part="test",
    history="masked",
    candidates="all items, 7",
    query_time=False,
    num_targets=9,
)


def change(difference, p_value=0.001):
    interval = Interval(low=difference - 0.01, high=difference + 0.01)
    return Change(
        together=0.2 + difference,
        alone=0.2,
        difference=difference,
        interval=interval,
        p_value=p_value,
        by_seed=[difference, difference],
    )


def found(buy=0.02, like=-0.01, opposed_by="buy", **changes):
    tasks = [
        TaskTransfer(task="buy", metric="ndcg@10", targets=9, alone=change(buy), matched=change(0.0, 1.0)),
        TaskTransfer(
            task="<b>like</b>",
            metric="-log_loss",
            targets=8,
            alone=change(like),
            matched=change(like),
            opposed_by=opposed_by,
        ),
    ]
    parts = {
        "recipe": "<i>shop</i>",
        "seeds": [1, 2],
        "protocol": PROTOCOL,
        "commit": "abc",
        "tasks": tasks,
        "cosines": Cosines(
            tasks=["buy", "<b>like</b>"],
            mean=[[1, -0.3], [-0.3, 1]],
            error=[[0, 0.1], [0.1, 0]],
            by_epoch=[[[1, 0], [0, 1]]],
        ),
        "cost": Cost(seconds_together=10, seconds_alone=18, weights_together=5_000, weights_alone=9_000),
        "closed_edges": {"buy": ["<b>like</b>", "shared 1"]},
        "readings": [
            Reading(
                readers=["buy", "<b>like</b>"],
                sources=["buy", "<b>like</b>", "shared 1", "nothing"],
                shares=[[0.5, 0.0, 0.3, 0.2], [0.41, 0.59, 0.0, 0.0]],
                gates=[0.06, 0.77],
            )
        ],
    }
    return Transfer.model_validate(parts | changes)


def told(study):
    console = Console(width=110)
    with console.capture() as captured:
        for part in study_page.terminal(study):
            console.print(part)
    return captured.get()


def test_the_first_sentence_says_who_gains_and_who_loses():
    first = study_page.sentences(found())[0]
    assert first.startswith(
        "Trained together, buy gains, <b>like</b> loses (1 of 2); the mean change is +2.5 %, "
    )
    assert first.endswith(f"the worst {MINUS}5.0 % (<b>like</b>).")
    both = found(like=0.01)
    assert study_page.sentences(both)[0].startswith(
        "Trained together, buy and <b>like</b> gain, none of 2 loses"
    )


def test_names_are_no_markup_of_the_terminal():
    assert "shop [v2]" in told(found(recipe="shop [v2]")) and "x [/b]" in told(found(recipe="x [/b]"))


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({}, "lose"), ({"like": 0.01}, "win"), ({"buy": -0.01, "like": -0.01}, "lose")],
)
def test_a_study_is_won_only_where_some_task_gains_and_none_loses(changes, outcome):
    assert f'class="verdict {outcome}"' in study_page.page(found(**changes))


def test_a_better_mean_that_may_be_chance_is_no_win():
    study = found()
    chance = [task.model_copy(update={"alone": change(0.02, 0.9)}) for task in study.tasks]
    assert 'class="verdict undecided"' in study_page.page(study.model_copy(update={"tasks": chance}))


def test_a_task_that_loses_gets_advice():
    assert "detach buy (--detach" in study_page.sentences(found())[1]
    assert "no gradient points against it" in study_page.sentences(found(opposed_by=None))[1]
    assert "it is detached" in study_page.sentences(found(apart=["<b>like</b>"]))[1]


@pytest.mark.parametrize(
    "study", [found(), found(cosines=None, closed_edges={}, readings=[])], ids=["full", "bare"]
)
def test_page_and_terminal_say_the_same_and_no_name_becomes_markup(study, tmp_path):
    page = write_transfer(tmp_path, study).read_text()
    assert "<b>like" not in page and "<i>shop" not in page and "&lt;b&gt;like" in page
    for sentence in ("+10.0 %", f"{MINUS}5.0 %", "5,000"):
        assert sentence in page
    assert "cosine" in page.lower() or study.cosines is None
    assert ("0.59" in page and "0.77" in page) is bool(study.readings)
    terminal = told(study)
    assert "+10.0 %" in terminal and "5,000 weights" in terminal and study.protocol.fingerprint() in terminal
    assert ("no longer reads" in terminal) is bool(study.closed_edges)


def test_the_colour_of_a_change_says_what_was_shown_and_not_how_large_it_is():
    def classes(difference, p_value, **more):
        of = change(difference, p_value).model_copy(update=more)
        study = found()
        tasks = [task.model_copy(update={"alone": of, "matched": of}) for task in study.tasks]
        page = study_page.page(study.model_copy(update={"tasks": tasks}))
        return {word for cell in re.findall(r'<td class="change (\w+)">', page) for word in [cell]}

    assert classes(-0.076, 0.77) == classes(0.15, 0.06) == {"none"}  # -38 %, and +75 %
    assert classes(-0.0002, 0.01) == {"worse"} and classes(0.0002, 0.01) == {"better"}
    assert classes(-0.1, 0.001, too_few="3 targets, and a verdict needs 20") == {"none"}


def test_the_page_has_a_forest_plot_and_leads_to_its_sections():
    page = study_page.page(found())
    links = re.findall(r"<nav.*?</nav>", page)[0]
    sections = re.findall(r'<section id="(\w+)"', page)
    assert sections == re.findall(r'href="#(\w+)"', links) == ["tasks", "gradients", "edges", "cost"]
    (drawing,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert 'role="img"' in drawing and "change in percent" in drawing
    assert "gains" in drawing and "loses" in drawing and "&lt;b&gt;like" in drawing
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) and "://" not in page


def test_what_a_task_gains_stands_beside_its_name():
    row = re.findall(r"<tbody><tr>.*?</tr>", study_page.page(found()))[0]
    cells = re.findall(r"<t[hd].*?</t[hd]>", row)
    assert "buy" in cells[0] and "+10.0 %" in cells[1]


def test_without_matplotlib_the_study_has_its_tables(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = study_page.page(found())
    assert "<svg" not in page and "matplotlib is not installed" in page and "+10.0 %" in page


def test_a_task_that_was_worth_nothing_alone_and_one_not_judged_are_drawn():
    study = found()
    zero = change(0.02).model_copy(update={"alone": 0.0, "too_few": "3 targets, and a verdict needs 20"})
    tasks = [task.model_copy(update={"alone": zero, "matched": zero}) for task in study.tasks]
    assert "not judged" in study_page.page(study.model_copy(update={"tasks": tasks}))
