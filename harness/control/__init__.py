"""How Python speaks with the conductor: it is started, asked, and ended."""
