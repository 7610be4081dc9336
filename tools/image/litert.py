"""The one seam to LiteRT (TensorFlow Lite): a model file becomes a function from pixels to arrays."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.core.errors import MissingExtra
from consilience.core.once import once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Network", "network"]


class Network:
    """A network with one picture as its input; any number of threads may call it."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]
        self._outputs = [output["index"] for output in interpreter.get_output_details()]
        self._one_at_a_time = threading.Lock()

    @property
    def side(self) -> int:
        """Height and width of the input, pixels."""
        return int(self._input["shape"][1])

    def __call__(self, pixels: NDArray[np.float32]) -> list[Any]:
        """Its outputs in the model's order, without the batch axis, for `pixels` of shape (side, side, channels)."""
        # An interpreter owns the memory of its tensors.
        with self._one_at_a_time:
            self._interpreter.set_tensor(self._input["index"], pixels[None])
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


@once
def network(model: Path, threads: int, *, extra: str) -> Network:
    """The network in the file `model`, loaded once a process; `extra` is the one that carries LiteRT for its encoder.

    Raises:
        MissingExtra: LiteRT is not installed.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as problem:
        raise MissingExtra("ai_edge_litert", extra, "Looking at pictures") from problem
    interpreter = Interpreter(model_path=str(model), num_threads=threads)
    interpreter.allocate_tensors()
    return Network(interpreter)
