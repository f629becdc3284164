"""Attacks on what runs, each with figures and a verdict: `make attacks`. Not part of the suite: minutes long."""
