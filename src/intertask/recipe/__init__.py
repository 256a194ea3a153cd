"""Recipes: a whole run in one file, checked before anything is read or trained."""

from intertask.recipe.recipe import ANSWERED, MAIN, Recipe, StreamConfig, shaping_of

__all__ = ["ANSWERED", "MAIN", "Recipe", "StreamConfig", "shaping_of"]
