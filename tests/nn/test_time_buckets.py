import torch

from intertask.nn.time_buckets import log_bucket


def test_there_is_a_bucket_for_each_doubling():
    seconds = torch.tensor([-5, 0, 1, 2, 3, 4, 7, 8, 2**20, 2**40])
    assert log_bucket(seconds, 32).tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 20, 31]
