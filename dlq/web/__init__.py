"""Pages in the Django admin: the documents of the commands, for people who would rather look."""
