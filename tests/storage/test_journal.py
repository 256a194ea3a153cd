import json

from intertask.storage.journal import Journal


def write(file, resume_step, *steps):
    journal = Journal(file, resume_step)
    for step in steps:
        journal.write("step", step=step)
    journal.close()


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_fresh_run_begins_an_empty_journal(tmp_path):
    file = tmp_path / "journal.jsonl"
    write(file, None, 1, 2)
    write(file, None, 1)
    assert [line["step"] for line in lines(file)] == [1]


def test_a_resumed_run_drops_the_steps_that_it_repeats_and_the_half_line(tmp_path):
    file = tmp_path / "journal.jsonl"
    write(file, None, 1, 2, 3, 4)
    with file.open("a", encoding="utf-8") as handle:
        handle.write('{"event": "step", "st')
    write(file, 2, 3, 4, 5)
    assert [line["step"] for line in lines(file)] == [1, 2, 3, 4, 5]


def test_each_line_is_on_disk_as_soon_as_it_is_written(tmp_path):
    file = tmp_path / "journal.jsonl"
    journal = Journal(file, None)
    journal.write("step", step=1, losses={"next": 0.5})
    assert lines(file) == [{"event": "step", "step": 1, "losses": {"next": 0.5}}]
    journal.close()


def test_a_resume_without_a_journal_begins_one(tmp_path):
    write(tmp_path / "journal.jsonl", 7, 8)
    assert [line["step"] for line in lines(tmp_path / "journal.jsonl")] == [8]
