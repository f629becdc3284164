"""Wire formats in, rows out: OTLP, Loki push, Pyroscope push, and the scraper."""
