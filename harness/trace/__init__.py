"""What the conductor saw, as plain values: events, segments and frames, sockets and their states."""
