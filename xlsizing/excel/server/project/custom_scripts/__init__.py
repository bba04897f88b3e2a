"""What xlwings Server offers as scripts."""
