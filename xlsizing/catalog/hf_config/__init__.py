"""A published config.json of Hugging Face as a catalog entry.

`import_config` makes a validated `Model` from it and says of each figure where it was
read. What is not known is refused, with a sentence that names the deciding field.
"""

from xlsizing.catalog.hf_config.entry import ImportedModel, entry_json
from xlsizing.catalog.hf_config.fields import ConfigError, Reading
from xlsizing.catalog.hf_config.importing import import_config, read_config

__all__ = ["ConfigError", "ImportedModel", "Reading", "entry_json", "import_config", "read_config"]
