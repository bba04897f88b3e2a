"""A sizing as people and programs read it: text and JSON."""
