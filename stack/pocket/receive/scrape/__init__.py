"""The scraper: prometheus.yml in, samples out, as Prometheus' own scrape loop does."""

from pocket.receive.scrape.config import ConfigError, Job, load
from pocket.receive.scrape.scraper import Scraper, TargetState

__all__ = ["ConfigError", "Job", "Scraper", "TargetState", "load"]
