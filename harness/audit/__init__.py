"""The audit: what a server must and should do, tried on any executable."""
