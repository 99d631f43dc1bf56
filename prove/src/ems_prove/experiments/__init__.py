"""One file for each promise."""
