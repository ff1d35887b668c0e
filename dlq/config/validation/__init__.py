"""What settings may hold, and the words for what they hold instead."""
