"""Items and users that came after the training, recommended and answered without training again."""
