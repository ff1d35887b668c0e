"""Which line of which file wrote a value."""
