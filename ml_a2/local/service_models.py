"""botocore's models of the services, each read once a process; what reading costs counts at a start.

botocore itself looks through the folders of all 400 services to know that there is one, and makes ordered dictionaries,
which take nearly twice as long as plain ones and keep the same order.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel


class PlainFiles(JSONFileLoader):
    """Reads a model's file into plain dictionaries."""

    def load_file(self, file_path: str) -> Any:
        """Return what a file holds whose name is given without its ending, None where there is none."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            if (path := Path(f"{file_path}{ending}")).is_file():
                with opened(path, "rb") as file:
                    return json.loads(file.read())
        return None


class FoldersAreServices(Loader):
    """Finds a service by its folder, without looking into those of the others."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Return every service that has a folder; whether a file of this type lies there shows when it is read."""
        folders = [path for path in map(Path, self.search_paths) if path.is_dir()]
        return sorted({path.name for folder in folders for path in folder.iterdir() if path.is_dir()})


MODELS = FoldersAreServices(file_loader=PlainFiles())


@cache
def service_model(service: str) -> ServiceModel:
    """Return a service's model by its botocore name."""
    return ServiceModel(MODELS.load_service_model(service, "service-2"), service)
