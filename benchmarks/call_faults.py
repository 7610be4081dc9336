"""What becomes of model calls at a server that fails: each fault, at two rates, through the real client.

A call is lost when it ends in an error; every loss has to be one of our typed errors, else it counts as untyped. Waits
are cut to a hundredth of a second and hangs to one, which changes how long it takes, not what is lost.
Run: python benchmarks/call_faults.py [--calls 200] [--seed 0]
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from typing import get_args

from langchain_core.messages import HumanMessage

from consilience.core.errors import ModelError
from consilience.core.settings import Settings
from consilience.models import Meter, Reply, resolve
from consilience.testing import Fault, FaultKind, ModelServer, at_rate

SCHEMA = {"title": "sign", "type": "object", "properties": {"platform": {"type": "integer"}}}
RATES = (0.05, 0.3)


async def row(kind: FaultKind, rate: float, calls: int, seed: int) -> str:
    """One line of the table."""
    fault = Fault(kind, 0.2) if kind == "slow_drip" else Fault(kind)
    settings = Settings(retry_seconds=0.01, request_seconds=1)
    meter = Meter()
    with ModelServer(lambda request: {"platform": 9}, faults=at_rate(rate, [fault], seed=seed)) as server:
        endpoint = resolve(server.base_url, settings)
        asked = [endpoint.complete([HumanMessage(f"{n}?")], schema=SCHEMA, meter=meter) for n in range(calls)]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        await endpoint.close()
        met, made = sum(call.fault is not None for call in server.calls), server.count
    right = sum(isinstance(each, Reply) and each.text == '{"platform": 9}' for each in ended)
    replies = sum(isinstance(each, Reply) for each in ended)
    lost = Counter(getattr(each, "kind", "") for each in ended if isinstance(each, ModelError))
    untyped = calls - replies - lost.total()
    told = ", ".join(f"{count} {name}" for name, count in lost.items()) or "none"
    return (
        f"{kind:15} {rate:5.0%} {made:6} {met:6} {right:6} {replies - right:11} {untyped:8}  "
        f"{told}{'' if meter.usage.calls == made else ' (attempts metered: ' + str(meter.usage.calls) + ')'}"
    )


async def matrix(calls: int, seed: int) -> None:
    print(f"{'fault':15} {'rate':>5} {'asked':>6} {'faults':>6} {'right':>6} {'to validate':>11} {'untyped':>8}  lost")
    for kind in get_args(FaultKind):
        for rate in RATES:
            print(await row(kind, rate, calls, seed), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(matrix(arguments.calls, arguments.seed))


if __name__ == "__main__":
    main()
