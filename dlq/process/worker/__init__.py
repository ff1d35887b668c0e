"""The worker: takes jobs of one queue and runs them."""
