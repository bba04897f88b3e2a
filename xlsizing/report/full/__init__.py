"""The full report as people read it: what it says in `content`, how it is written beside it."""
