"""The settings in force, each with what it means: `/settings`. They are changed in the file.

What the file says now is read as well, so that a slip is seen before the next start. No secret
stands in the settings: they name the files that hold them.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from recorder_sync.config import Configuration, load
from recorder_sync.errors import ConfigurationProblem, RecorderSyncError
from recorder_sync.language import Text, tr
from recorder_sync.rules.access import Permission
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, desks_of, visitor

router = APIRouter()

_Seer = Annotated[Visit, Depends(visitor(Permission.SEE_SETTINGS), scope="function")]

_SECRETS = frozenset({"password", "passphrase", "key", "access_key", "secret_key", "session_token"})


@dataclass(frozen=True, slots=True)
class Value:
    key: str
    shown: str
    meaning: str | None
    is_set: bool
    """False: the default is in force."""


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    meaning: str | None
    values: tuple[Value, ...]


@router.get("/settings")
def settings(request: Request, visit: _Seer) -> Response:
    path = desks_of(request).configuration
    problems: list[Text] = []
    is_other = False
    if path is not None:
        try:
            is_other = load(path) != visit.settings
        except ConfigurationProblem as problem:
            problems = [problem.text, *problem.problems]
        except RecorderSyncError as problem:
            problems = [problem.text]
    values = {
        "groups": list(groups(visit.settings)),
        "path": str(path) if path else None,
        "problems": problems,
        "is_other": is_other,
    }
    return page(request, "settings.html", values)


def groups(settings: Configuration) -> Iterator[Group]:
    """Yield the sections of a configuration, those that may stand several times by number."""
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        if isinstance(section, BaseModel):
            yield _group(f"[{name}]", section)
        else:
            for one in section:
                named = getattr(one, "name", None)
                yield _group(f"[[{name}]]{f' {named}' if named else ''}", one)


def _group(name: str, section: BaseModel) -> Group:
    says = inspect.cleandoc(type(section).__doc__ or "").split("\n\n")[0].replace("\n", " ")
    is_ours = type(section).__module__.startswith("recorder_sync")
    return Group(name, tr(says) if says and is_ours else None, tuple(_values("", section)))


def _values(prefix: str, section: BaseModel) -> Iterator[Value]:
    said = meanings(type(section))
    for name in type(section).model_fields:
        value = getattr(section, name)
        key = f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield from _values(f"{key}.", value)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for number, one in enumerate(value, 1):
                yield from _values(f"{key}.{number}.", one)
        else:
            meaning = said.get(name)
            is_set = name in section.model_fields_set
            yield Value(key, _shown(name, section, value), tr(meaning) if meaning else None, is_set)


def _shown(name: str, section: BaseModel, value: object) -> str:
    if name in _SECRETS and isinstance(value, str):
        return "***"
    if value is None or value == ():
        return "—"
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    dumped = section.model_dump(mode="json", include={name})[name]
    if isinstance(dumped, list):
        return ", ".join(
            " ".join(map(str, one)) if isinstance(one, list) else str(one) for one in dumped
        )
    if isinstance(dumped, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in dumped.items() if one is not None)
    return str(dumped)


@cache
def meanings(section: type[BaseModel]) -> Mapping[str, str]:
    """Return what stands under each field of a section in its source, in one line.

    Where a program comes without its source, there is none to say.
    """
    found: dict[str, str] = {}
    for one in reversed(section.__mro__):
        if issubclass(one, BaseModel) and one.__module__.startswith("recorder_sync"):
            found.update(_read(one))
    return found


def _read(section: type[BaseModel]) -> Iterator[tuple[str, str]]:
    try:
        source = textwrap.dedent(inspect.getsource(section))
    except OSError:
        return
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    field: str | None = None
    for step in body.body:
        if isinstance(step, ast.AnnAssign) and isinstance(step.target, ast.Name):
            field = step.target.id
        elif (
            field is not None
            and isinstance(step, ast.Expr)
            and isinstance(step.value, ast.Constant)
            and isinstance(step.value.value, str)
        ):
            yield field, " ".join(step.value.value.split())
            field = None
        else:
            field = None


def every_meaning() -> list[str]:
    """Return what every setting means, for the translators."""
    found: dict[str, None] = {}
    waiting: list[type[BaseModel]] = [Configuration]
    seen: set[type[BaseModel]] = set()
    while waiting:
        section = waiting.pop(0)
        if section in seen:
            continue
        seen.add(section)
        if section is not Configuration and section.__doc__:
            says = inspect.cleandoc(section.__doc__).split("\n\n")[0].replace("\n", " ")
            found[says] = None
        found.update(dict.fromkeys(meanings(section).values()))
        for field in section.model_fields.values():
            waiting += _sections_in(field.annotation)
    return list(found)


def _sections_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = getattr(annotation, "__args__", ())
    return [one for part in inner for one in _sections_in(part)]
