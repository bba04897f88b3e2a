"""The hosts that call the functions, as far as they run without Excel."""
