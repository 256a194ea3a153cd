"""Small fixed logs whose losses, weights, lists and figures are pinned."""
