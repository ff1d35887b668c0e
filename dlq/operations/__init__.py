"""What the commands do, without a word of how they are typed or shown."""
