"""What all tests share: nothing is traced, checkpoints are strict, property tests run without a clock."""

from __future__ import annotations

import os

import hypothesis

os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
# Most tests are about debates; which protocol is the default has tests of its own.
os.environ["CONSILIENCE_PROTOCOL"] = "debate"

# How long an example takes depends on what else runs on the machine.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
