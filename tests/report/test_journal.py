"""Reading a training journal, whole or cut short."""

from pathlib import Path

from intertask.report import journal

from .conftest import journal_lines


def test_a_whole_journal_is_read_as_written(run: Path) -> None:
    found = journal.read(run / "journal.jsonl")
    assert [step.step for step in found.steps] == list(range(60))
    assert found.steps[3].losses == {"next": 7.0 - 0.06, "liked": 0.7 - 0.003}
    assert [at.best for at in found.validations] == [True, True, False]
    assert (found.stop, found.best_epoch) == ("early stop, no better ndcg@10 for 1 epochs", 1)
    assert found.unreadable == 0
    assert (found.training_seconds, found.validation_seconds) == (60 * 0.25, 4.5)
    assert found.tokens_per_second == 4096 / 0.25


def test_a_journal_cut_anywhere_loses_its_last_line_only(tmp_path: Path) -> None:
    lines = journal_lines()[:5]
    whole = "\n".join(lines).encode()
    for end in range(len(whole) - len(lines[-1]) + 1, len(whole)):
        (tmp_path / "journal.jsonl").write_bytes(whole[:end])
        found = journal.read(tmp_path / "journal.jsonl")
        assert (len(found.steps), found.unreadable) == (3, 1)


def test_lines_that_are_no_events_are_counted(tmp_path: Path) -> None:
    lines = [
        "[1]",
        "null",
        "12",
        '{"event": "step"}',
        '{"event": "step", "step": 1, "losses": 3}',
        '"x"',
        "\x00",
    ]
    (tmp_path / "journal.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert journal.read(tmp_path / "journal.jsonl") == journal.Journal(unreadable=len(lines))


def test_a_step_repeated_after_a_resume_counts_once(tmp_path: Path) -> None:
    lines = journal_lines()
    (tmp_path / "journal.jsonl").write_text("\n".join(lines[:15] + lines[10:]), encoding="utf-8")
    assert [step.step for step in journal.read(tmp_path / "journal.jsonl").steps] == list(range(60))


def test_a_loss_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    line = '{"event": "step", "step": 1, "losses": {"next": NaN, "buy": 2.0}}'
    (tmp_path / "journal.jsonl").write_text(line, encoding="utf-8")
    assert journal.read(tmp_path / "journal.jsonl").steps[0].losses == {"buy": 2.0}


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "journal.jsonl") == journal.Journal()
