"""How well items without a single event are recommended: hold-out, references, measures and the study."""
