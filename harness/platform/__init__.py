"""Which platform this is, and how workers on those that are asked for by name are started. Knows nothing of pytest."""
