"""Samples: each row is asked for its own labels. The wing beside event logs."""
