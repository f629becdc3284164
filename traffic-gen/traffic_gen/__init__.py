"""Virtual users for the stages: a stage's script names its kind of user, the engine does the rest.

settings → engine (runs users) → outcome (what they saw) → report (table, JSON).
"""
