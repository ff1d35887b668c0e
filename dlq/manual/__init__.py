"""The manual: one Markdown file for each chapter. A test executes the examples."""
