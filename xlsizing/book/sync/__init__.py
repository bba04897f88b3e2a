"""Bringing changed catalogs into workbooks that people work in, without touching anything else."""
