"""What a command's exit code says."""

OK, BAD_INPUT, NOTHING_FITS, INTERRUPTED = 0, 2, 3, 130
