"""What runs found, and what that is held against: baselines, expectations, the catalogue and the scenarios."""
