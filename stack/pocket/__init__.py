"""The pocket stack: Prometheus, Loki, Tempo, Pyroscope, Alloy and a UI in one Python process.

Data flows one way: receive → route → store → derive → query → api → ui. Nothing imports upwards; the rows that
cross from room to room are in `pocket.rows`.
"""
