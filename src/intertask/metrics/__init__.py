"""Metrics as pure functions of arrays: ranks, lists, predicted responses."""
