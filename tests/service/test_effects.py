"""Effects of experiments: known answers, and how often they are found where there are none."""

import numpy as np
import pytest
import scipy.stats

from intertask.service import effects
from intertask.service.offpolicy import estimate
from intertask.service.refusals import ConflictError


def people(random, number, rate, spread=0.1):
    """Lists and hits of people who differ in how much they see and how easily they are won."""
    lists = random.geometric(0.2, number)
    chances = np.clip(random.normal(rate, spread, number), 0, 1)
    return lists, random.binomial(lists, chances)


@pytest.mark.parametrize("number", [20, 100, 200])
def test_two_arms_that_are_alike_raise_an_alarm_one_time_in_twenty_at_most(number):
    random, alarms = np.random.default_rng(3), 0
    for _ in range(2_000):
        one, other = (effects.share(*people(random, number, 0.2)) for _ in range(2))
        alarms += effects.effect(one, other).p_value < 0.05
    assert 60 <= alarms <= 110  # 100 are 5 %; 121 were more than chance explains (1 in 100)


def test_an_effect_is_found_and_its_interval_holds_it():
    random, held, found = np.random.default_rng(1), 0, 0
    for _ in range(300):
        one, other = (effects.share(*people(random, 1_000, rate, 0.02)) for rate in (0.2, 0.24))
        seen = effects.effect(one, other)
        held += seen.low <= 0.04 <= seen.high
        found += seen.p_value < 0.05
    assert 275 <= held <= 296 and found > 280


def test_a_person_who_sees_the_same_list_often_is_one_person():
    lists, hits = np.full(50, 1), np.tile([0, 1], 25)
    once, often = effects.share(lists, hits), effects.share(lists * 100, hits * 100)
    assert often.rate == once.rate == 0.5 and often.error == pytest.approx(once.error)


def test_what_says_nothing_says_so():
    nobody = effects.share(np.empty(0, np.int64), np.empty(0, np.int64))
    one = effects.share(np.array([3]), np.array([1]))
    assert (nobody.rate, one.rate) == (0.0, 1 / 3)
    assert effects.effect(nobody, one).p_value == 1.0
    always = effects.share(np.ones(9, np.int64), np.ones(9, np.int64))
    assert effects.effect(always, always).p_value == 1.0


def test_people_who_are_not_shared_out_as_they_should_be_are_told():
    assert effects.mismatch([500, 520], [1, 1]) > 0.1
    assert effects.mismatch([500, 700], [1, 1]) < effects.MISMATCH
    assert effects.mismatch([250, 750], [1, 3]) == pytest.approx(1)
    assert effects.mismatch([0, 0], [1, 1]) == 1


CHANCES = np.array([0.5, 0.3, 0.15, 0.05])  # of the draws
OTHER = np.array([0.1, 0.2, 0.3, 0.4])
WINS = np.array([0.1, 0.2, 0.4, 0.8])


def draws(random, number):
    actions = random.choice(4, number, p=CHANCES)
    return random.binomial(1, WINS[actions]).astype(float), CHANCES[actions], OTHER[actions]


def test_estimates_lie_within_two_standard_errors_of_the_truth():
    truth, random = float(OTHER @ WINS), np.random.default_rng(0)
    misses = np.zeros(2)
    for _ in range(400):
        found = estimate(*draws(random, 2_000))
        misses += [
            abs(found.ips - truth) > 2 * found.ips_error,
            abs(found.snips - truth) > 2 * found.snips_error,
        ]
    limit = scipy.stats.binom.ppf(0.999, 400, 0.05)
    assert (misses <= limit).all() and (misses >= 4).all()


def test_the_policy_itself_is_worth_what_it_led_to():
    rewards, chances, _ = draws(np.random.default_rng(0), 500)
    found = estimate(rewards, chances, chances)
    assert found.ips == found.logged == pytest.approx(found.snips)
    assert found.effective == pytest.approx(500)


def test_lists_that_could_not_have_been_others_are_refused():
    one = np.ones(5)
    for rewards, drawn in ((one, one), (one[:1], one[:1] / 2), (one, one * 0)):
        with pytest.raises(ConflictError, match="at least two lists that were drawn at random"):
            estimate(rewards, drawn, drawn)


def test_another_policy_that_agrees_with_no_draw_is_worth_nothing_that_is_known():
    found = estimate(np.ones(4), np.full(4, 0.5), np.zeros(4))
    assert found.snips == 0 and found.snips_error == float("inf") and found.effective == 0
