"""Answers for many at once, in files."""
