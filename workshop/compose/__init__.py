"""Reads a stage's compose file, the single description of a stage, and moves it to this machine."""
