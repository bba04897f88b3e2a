"""The company's own xlwings Server, with the functions and scripts of this package.

`serving` starts it; `app` is what its workers run, with the routes of `calls` before those of
xlwings Server. The folder project/ is what xlwings Server calls a project: it names the
functions and the scripts, and holds the manifest and the task pane.
"""
