"""From files to flat arrays: event log, catalogue, vocabularies, sequences, splits, batches."""
