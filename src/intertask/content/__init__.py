"""What the catalogue says of items, as numbers that a model can read. Knows nothing of models or events."""
