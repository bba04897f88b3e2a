"""What a command's exit code says."""

OK, DIFFERENCE, BAD_INPUT, NOTHING_FITS, NOT_SENT, INTERRUPTED = 0, 1, 2, 3, 4, 130
