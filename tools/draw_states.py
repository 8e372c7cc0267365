"""Draws a recording's states from the table in rules/lifecycle.py, as a Mermaid diagram.

python tools/draw_states.py > docs/states.md
"""

from recorder_sync.rules.lifecycle import MOVES, State


def _name(state: State | None) -> str:
    return state.value if state else "[*]"


def page() -> str:
    """Return docs/states.md."""
    lines = [
        "# A recording's states",
        "",
        "Made by `python tools/draw_states.py` from the table in",
        "`src/recorder_sync/rules/lifecycle.py`.",
        "",
        "```mermaid",
        "stateDiagram-v2",
    ]
    for state, moves in MOVES.items():
        for event, target in moves.items():
            lines.append(f"    {_name(state)} --> {_name(target)}: {event.value}")
    return "\n".join([*lines, "```", ""])


if __name__ == "__main__":
    print(page(), end="")
