"""What a command's exit code says."""

OK, DIFFERENCE, BAD_INPUT, NOTHING_FITS, INTERRUPTED = 0, 1, 2, 3, 130
