"""One Django project, in which every system runs the same jobs."""
