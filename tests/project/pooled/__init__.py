"""An app that asks the database when Django is set up, with connections from a pool."""
