"""The embedded engine, moto, imported without what it brings along and never uses here; each time counts at a start.

Imported before anything of `moto.stepfunctions`.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import cache
from importlib import import_module
from types import ModuleType

import boto3
import botocore.session
import moto.core.loaders
import moto.core.utils
from moto.core.base_backend import AccountSpecificBackend

from ml_a2.local.service_models import MODELS, FoldersAreServices, PlainFiles

# The interpreter's integration with AWS Batch, which is refused here, needs a class of moto's; the module around that
# imports all of EC2 with its instance types: half of the time that everything together takes to import.
_BATCH = "moto.batch.utils"


class _JobStatus(StrEnum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


def _import_without_batch() -> None:
    if "moto.batch" in sys.modules or "moto.stepfunctions.parser" in sys.modules:
        return
    package, module = ModuleType("moto.batch"), ModuleType(_BATCH)
    module.JobStatus = _JobStatus  # type: ignore[attr-defined]
    sys.modules |= {"moto.batch": package, _BATCH: module}
    try:
        import_module("moto.stepfunctions.parser.models")
    finally:
        del sys.modules["moto.batch"], sys.modules[_BATCH]


@cache
def _session() -> boto3.Session:
    """Return what moto asks for the regions of a service: a megabyte of JSON, which is read already."""
    session = botocore.session.Session()
    session.register_component("data_loader", MODELS)
    return boto3.Session(botocore_session=session)


class _Models(FoldersAreServices, moto.core.loaders.Loader):  # type: ignore[misc]  # moto's is untyped
    """moto's own models: botocore's with errors and defaults added, so that the two share no files."""


@cache
def _loader() -> _Models:
    """Return one loader for all services: moto makes one for each."""
    return _Models(extra_search_paths=[moto.core.loaders.moto_root], file_loader=PlainFiles())


_import_without_batch()
AccountSpecificBackend.get_session = _session
moto.core.utils.create_loader = _loader
