"""Runs in folders: data, training, evaluation, and the transfer study over several of them."""
