"""Training: one loop, its optimiser, its journal, its checkpoints."""
