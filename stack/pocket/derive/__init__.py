"""Metrics from spans, as Tempo's metrics generator makes them."""

from pocket.derive.generator import Generator

__all__ = ["Generator"]
