"""botocore's models of the services, each read once a process."""

from __future__ import annotations

from functools import cache

from botocore.loaders import create_loader
from botocore.model import ServiceModel

MODELS = create_loader()


@cache
def service_model(service: str) -> ServiceModel:
    """Return a service's model by its botocore name."""
    return ServiceModel(MODELS.load_service_model(service, "service-2"), service)
