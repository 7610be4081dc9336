"""Language models: endpoints that survive faults and hold budgets, the embedded server, usage and prices."""

from consilience.models.budget import Budget, Estimate, Ledger, Limit, Reservation
from consilience.models.calling import Reply, Sampling
from consilience.models.endpoint import Endpoint
from consilience.models.journal import CutShort, Entry, Journal, noted
from consilience.models.meter import Meter
from consilience.models.methods import Method
from consilience.models.resolve import DEFAULT_EMBEDDED, ModelLike, resolve
from consilience.models.retrying import Patience
from consilience.models.spans import provider_name
from consilience.models.usage import Usage, price

__all__ = [
    "DEFAULT_EMBEDDED",
    "Budget",
    "CutShort",
    "Endpoint",
    "Entry",
    "Estimate",
    "Journal",
    "Ledger",
    "Limit",
    "Meter",
    "Method",
    "ModelLike",
    "Patience",
    "Reply",
    "Reservation",
    "Sampling",
    "Usage",
    "noted",
    "price",
    "provider_name",
    "resolve",
]
