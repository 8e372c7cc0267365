"""Words what the command line refuses, in the language of the reader.

The parser's own sentences are English only. They are worded anew by what kind of refusal it is
and which option it concerns; a sentence that is not known here, as one of a newer parser may be,
is passed on as it is, after ours that says which option it is about.
"""

import re
from collections.abc import Callable
from typing import Any

from typer.exceptions import TyperException

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, Text

_Word = Callable[[str, re.Match[str]], Text]

_SENTENCES: tuple[tuple[str, _Word], ...] = (
    (
        r"(?s)'(.*)' is not one of (.*?)\.?$",
        lambda name, said: T(
            "{name} cannot be {value}. Allowed are: {allowed}.",
            name=name,
            value=said[1],
            allowed=said[2].replace("'", ""),
        ),
    ),
    (
        r"should be a valid (?:integer|number)",
        lambda name, _: T("{name} should be a number.", name=name),
    ),
    (
        r"greater than or equal to (\S+)",
        lambda name, said: T("{name} should be {least} or more.", name=name, least=said[1]),
    ),
    (
        r"less than or equal to (\S+)",
        lambda name, said: T("{name} should be {most} or less.", name=name, most=said[1]),
    ),
    (
        r"(?s)'(.*)' does not exist",
        lambda name, said: T("{name}: {path} is not there.", name=name, path=said[1]),
    ),
)
"""What the parser says of a value, and how it is worded here."""


def is_help(error: TyperException) -> bool:
    """Tell whether it is the help, shown where a group of commands is asked for none."""
    return type(error).__name__ == "NoArgsIsHelpError"


def worded(error: TyperException) -> UsageProblem:
    """Return what the parser refuses as an error of ours."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "recorder-sync"
    return UsageProblem(_text(error), T("See: {command}", command=f"{command} --help"))


def _text(error: Any) -> Text:
    kind, text = type(error).__name__, None
    if kind == "NoSuchOption":
        text = _no_option(error.option_name, ", ".join(sorted(error.possibilities or ())))
    elif kind == "BadOptionUsage" and "not take" in error.message:
        text = T("{name} takes no value.", name=error.option_name)
    elif kind == "BadOptionUsage":
        text = T("{name} needs a value.", name=error.option_name)
    elif kind == "MissingParameter" and error.param is not None:
        text = T("{name} is missing.", name=_name(error.param))
    elif kind == "BadParameter" and error.param is not None:
        text = _of_value(_name(error.param), error.message)
    elif extra := re.fullmatch(r"(?s)Got unexpected extra argument\(s\) \((.*)\)", error.message):
        text = T("There is too much in the command: {extra}", extra=extra[1])
    return text or T("{why}", why=error.format_message())


def _no_option(name: str, near: str) -> Text:
    if near:
        return T("There is no option {name}. Do you mean {near}?", name=name, near=near)
    return T("There is no option {name}.", name=name)


def _name(parameter: Any) -> str:
    """Return how an option or an argument is called in the help."""
    return str(parameter.get_error_hint()).replace("'", "")


def _of_value(name: str, message: str) -> Text:
    for pattern, word in _SENTENCES:
        if said := re.search(pattern, message):
            return word(name, said)
    return T("{name} cannot have this value: {why}", name=name, why=message)
