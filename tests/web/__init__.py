"""The pages in the Django admin."""
