"""The worker's side: how jobs are taken, held and acknowledged."""
