"""Catalog files: JSON on one side, core's dataclasses on the other."""

from xlsizing.catalog.errors import CatalogError
from xlsizing.catalog.loading import catalog_folder, load_catalogs

__all__ = ["CatalogError", "catalog_folder", "load_catalogs"]
