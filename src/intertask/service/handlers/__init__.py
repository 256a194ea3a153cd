"""What each route does: a body comes, an answer goes; nothing here knows of HTTP."""
