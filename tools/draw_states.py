"""Draws the states of recordings and of stays on a port from their tables, as diagrams.

python tools/draw_states.py > docs/states.md
"""

from recorder_sync.rules import docking, lifecycle


def page() -> str:
    """Return docs/states.md."""
    recording = [
        f"{_name(state)} --> {_name(target)}: {event.value}"
        for state, moves in lifecycle.MOVES.items()
        for event, target in moves.items()
    ]
    stay = [f"[*] --> {docking.Stay.GREETED.name}"] + [
        f"{state.name} --> {target.name}"
        for state, targets in docking.MOVES.items()
        for target in docking.Stay
        if target in targets and not docking.has_ended(target)
    ]
    ends = ", ".join(f"`{state.value}`" for state in docking.Stay if docking.has_ended(state))
    return "\n".join(
        [
            "# States",
            "",
            "Made by `python tools/draw_states.py` from the tables in `rules/lifecycle.py` and",
            "`rules/docking.py`.",
            "",
            "## A recording",
            "",
            *_diagram(recording),
            "",
            "## A device on a port",
            "",
            f"From every state a stay can end: {ends}.",
            "",
            *_diagram(stay),
            "",
        ]
    )


def _diagram(lines: list[str]) -> list[str]:
    return ["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"]


def _name(state: lifecycle.State | None) -> str:
    return state.value if state else "[*]"


if __name__ == "__main__":
    print(page(), end="")
