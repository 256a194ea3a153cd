"""Evaluation: full ranking, responses, baselines in the same table, intervals, slices, comparisons."""
