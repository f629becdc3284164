"""Query engines: text → parsed → rows → answer. Pure functions of a store and a text, no HTTP."""
