"""What a caller may say: arguments, sections of recipes, changes to them, named seeds."""
