"""What scripts/bench-shield is made of."""
