"""Texts as vectors, by encoders that were trained elsewhere. Knows no rows and no model."""
