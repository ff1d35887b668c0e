"""The scripts that the server runs in one step."""
