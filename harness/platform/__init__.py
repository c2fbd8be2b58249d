"""Platforms that are asked for by name, and how a worker on each is started. Knows nothing of pytest."""
