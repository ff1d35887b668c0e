"""Values and pure functions that know nothing of jobs, settings or servers."""
