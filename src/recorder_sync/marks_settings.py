"""Settings of marks: `[marks]`, items of an office beside those of the Measures."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from recorder_sync.language import as_said
from recorder_sync.rules.stage import Stage
from recorder_sync.section import Section

if TYPE_CHECKING:  # every command has the settings, few have these rules
    from recorder_sync.rules.marks import Item


class OwnItem(Section):
    """One more thing that a stage is to be recorded for (Art. 18)."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    stage: Stage
    text: Annotated[str, Field(min_length=1, max_length=200)]


class MarksSettings(Section):
    items: tuple[OwnItem, ...] = ()
    """Items beside those of Art. 6 to 9, which are built in."""

    @field_validator("items")
    @classmethod
    def _each_once(cls, items: tuple[OwnItem, ...]) -> tuple[OwnItem, ...]:
        from recorder_sync.rules.marks import ITEMS

        ids = [one.id for one in items]
        if len(set(ids)) != len(ids) or not {one.id for one in ITEMS}.isdisjoint(ids):
            raise ValueError("should have an id of its own for each, other than those built in")
        return items

    @cached_property
    def known(self) -> "dict[str, Item]":
        """Every item by its id, in the order of the stages."""
        from recorder_sync.rules.marks import ITEMS, Item

        own = (Item(one.id, one.stage, as_said(one.text)) for one in self.items)
        stages = list(Stage)
        every = sorted((*ITEMS, *own), key=lambda item: stages.index(item.stage))
        return {item.id: item for item in every}
