"""What scripts/bench is made of: one file a row, beside what they share."""
