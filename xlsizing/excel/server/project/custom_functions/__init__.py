"""What xlwings Server offers as functions: those of xlsizing, and nothing else."""

from xlsizing.excel.functions import *  # noqa: F403
