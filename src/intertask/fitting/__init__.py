"""From a recipe and data to a trained model, whatever kind the data are."""
