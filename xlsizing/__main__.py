"""`python -m xlsizing` is the command line."""

import sys

from xlsizing.cli import main

sys.exit(main())
