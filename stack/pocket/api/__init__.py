"""The HTTP shapes of the real components, over the query engines."""
