"""Stand-ins for a stage's infrastructure images, run as ordinary child processes where there is no Docker."""
