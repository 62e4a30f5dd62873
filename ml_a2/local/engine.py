"""The embedded engine, moto's state machines, imported without what they bring along and never use here.

Imported before anything of `moto.stepfunctions`.
"""

from __future__ import annotations

import sys
from types import ModuleType

# The interpreter's integration with AWS Batch, which is refused here, names this class of moto's; the module around it
# imports all of EC2 with its instance types: half of the time that everything together takes to import.
_BATCH = "moto.batch.utils"


def _import_without_batch() -> None:
    if "moto.batch" in sys.modules or "moto.stepfunctions.parser" in sys.modules:
        return
    package, module = ModuleType("moto.batch"), ModuleType(_BATCH)
    module.JobStatus = object  # type: ignore[attr-defined]  # only named, never looked at
    sys.modules |= {"moto.batch": package, _BATCH: module}
    try:
        pass
    finally:
        del sys.modules["moto.batch"], sys.modules[_BATCH]


_import_without_batch()
