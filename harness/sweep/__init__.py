"""Sweeps: a run of a server, repeated once for every moment it has, with one perturbation there."""
