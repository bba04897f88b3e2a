"""What the functions remember between calls, for tests that change the catalogs."""

from xlsizing.excel import planning


def forget() -> None:
    """Let the next call of a function compute everything anew, from catalogs read again."""
    for remembered in vars(planning).values():
        if hasattr(remembered, "cache_clear"):
            remembered.cache_clear()
