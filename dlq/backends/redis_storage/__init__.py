"""What the two Redis backends are made of."""
