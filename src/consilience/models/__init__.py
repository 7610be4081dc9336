"""Language models: resolving a name to an endpoint, the embedded server, usage and prices."""

from consilience.models.endpoint import Endpoint, Method, Reply, Sampling
from consilience.models.resolve import DEFAULT_EMBEDDED, ModelLike, resolve
from consilience.models.usage import Meter, Usage, price

__all__ = [
    "DEFAULT_EMBEDDED",
    "Endpoint",
    "Meter",
    "Method",
    "ModelLike",
    "Reply",
    "Sampling",
    "Usage",
    "price",
    "resolve",
]
