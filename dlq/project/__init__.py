"""Find and load the user's Django project, and check what its settings name."""
