"""Files and folders: whole or not at all, ours or not, locked, and read as if a stranger had written them."""
