"""The functions that Excel calls, and the hosts that call them."""
