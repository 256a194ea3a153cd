"""A first recipe for a file that somebody has."""
