from intertask.evaluate.choosing import Basis, uncalibrated


def test_tasks_without_a_target_are_named_as_not_calibrated() -> None:
    bases = {"ill": Basis(50)}
    assert uncalibrated(["ill"], bases) is None and uncalibrated([], {}) is None
    one, two = uncalibrated(["ill", "died"], bases), uncalibrated(["ill", "died"], {})
    assert one is not None and two is not None
    assert one.text.startswith("Task died has no validation target: the probabilities are not calibrated")
    assert two.text.startswith("Tasks ill, died have no validation target")
