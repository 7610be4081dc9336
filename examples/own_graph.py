"""An own graph: own experts, a rule in one seat, no exchange."""

from itertools import pairwise
from pathlib import Path

from consilience.graphs import nodes
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph

from consilience import DebateState, Expert, Panel, Workbench, ask

bench = Workbench()
panel = Panel(
    experts=(
        Expert("reader", "an expert for signs", view=("image",)),
        Expert("listener", "an expert for what is said", view=("audio",)),
        Expert("calendar", "a rule, not a model", model=RunnableLambda(lambda messages: "on Thursday")),
    )
)
steps = {
    "perceive": nodes.perceive(bench),
    "open": nodes.open_round(bench, panel),
    "judge": nodes.judge(bench, panel),
    "verify": nodes.verify(bench),
    "compose": nodes.compose(bench),
}
builder = StateGraph(DebateState)
for name, node in steps.items():
    builder.add_node(name, node)
for edge in pairwise([START, *steps, END]):
    builder.add_edge(*edge)
graph = builder.compile()

if __name__ == "__main__":
    print(graph.get_graph().draw_mermaid())
    media = Path(__file__).parent / "media"
    print(ask("When does the book club meet?", [media / "scene.png", media / "call.wav"], graph=graph))
