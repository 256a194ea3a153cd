"""What a person sees: text without control characters, the console, bars, cards of a notebook."""
