"""The units of the method.

GB = 10^9 bytes, as vendors count; GiB = 2^30 and TiB = 2^40 bytes, as memory is
counted; MiB = 2^20 bytes, as drivers report it. Field names carry their unit.
"""

BYTES_PER_GB = 10**9
BYTES_PER_MIB = 2**20
BYTES_PER_GIB = 2**30
BYTES_PER_TIB = 2**40
