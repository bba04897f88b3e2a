"""What a worker of the server runs: xlwings Server with our routes before its own."""

import gc
import sys

# xlwings asks for every cell whether it runs in Pyodide. Python remembers what it has imported
# but not what it failed to find, and looks again each time, unless it is told so.
sys.modules["pyodide"] = None  # type: ignore[assignment]
sys.modules["pyodide.ffi"] = None  # type: ignore[assignment]

from xlwings_server.main import app, main_app  # noqa: E402
from xlwings_server.templates import env  # noqa: E402

from xlsizing.core import SizingError  # noqa: E402
from xlsizing.excel.host import host_language, said  # noqa: E402
from xlsizing.excel.planning import catalogs  # noqa: E402
from xlsizing.excel.server.calls import ROUTES  # noqa: E402
from xlsizing.excel.server.words import words  # noqa: E402

# The first route that matches answers.
app.router.routes[:0] = ROUTES

# What the templates of the manifest and the task pane take their texts from.
env.globals["words"] = words(host_language())

try:
    catalogs()
except SizingError as error:
    # A worker that replaces another, and cannot, must end: then the other one stays.
    sys.exit(said(str(error)))

# A large call makes some 100,000 lists, none of them in a circle. The collector, which stops all
# threads, need not go through them again and again, nor through what is loaded by now and stays.
gc.set_threshold(100_000, 20, 100)
gc.collect()
gc.freeze()

__all__ = ["main_app"]
