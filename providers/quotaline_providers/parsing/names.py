"""The member names of answers that a provider knows: those of its payload models, and those that its code looks for."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType

from pydantic import AliasChoices, AliasPath, BaseModel

_NAMES = re.compile(r"[A-Za-z_$][\w$.-]*( +[A-Za-z_$][\w$.-]*)*")


def names_of(model: type[BaseModel]) -> frozenset[str]:
    """The names under which a model's fields may stand in an answer."""
    return frozenset(name for key in model.model_fields for name in field_names(model, key))


def field_names(model: type[BaseModel], key: str) -> frozenset[str]:
    """The names under which one field may stand in an answer, its own among them."""
    info = model.model_fields[key]
    return frozenset(name for name in (key, info.alias, *_spellings(info.validation_alias)) if name is not None)


def _spellings(alias: str | AliasPath | AliasChoices | None) -> Iterator[str]:
    if isinstance(alias, str):
        yield alias
    elif isinstance(alias, AliasPath):
        yield from (step for step in alias.path if isinstance(step, str))
    elif isinstance(alias, AliasChoices):
        for choice in alias.choices:
            yield from _spellings(choice)


def known_names(package: str) -> frozenset[str]:
    """The member names that stand in the payload models of a package (or module) and of all modules below it, also of
    members that are known and not needed."""
    models = {
        item
        for module in _modules(package)
        for item in list(vars(module).values())
        if isinstance(item, type) and issubclass(item, BaseModel) and item.__module__ == module.__name__
    }
    return frozenset(name for model in models for name in (*names_of(model), *getattr(model, "not_read", ())))


def sought_names(package: str) -> frozenset[str]:
    """The texts in the code of a package (or module) that may be names of members, and `known_names`, all `plain`.

    Answers without a settled shape are searched by names that stand in the code alone: in calls, tables and constants.
    """
    return _sought_names(package, len(_modules(package)))


@lru_cache(maxsize=64)
def _sought_names(package: str, _loaded: int) -> frozenset[str]:
    texts = (text for module in _modules(package) for text in _texts_of(module))
    names = (name for text in texts if _NAMES.fullmatch(text) and not _is_wording(text) for name in text.split())
    return frozenset(map(plain, known_names(package).union(names)))


def plain(name: str) -> str:
    """A name without its spelling: `usedPercent` and `used_percent` are one."""
    return name.replace("_", "").replace("-", "").lower()


def _is_wording(text: str) -> bool:
    """Whether a text is a label or a sentence for people."""
    return text.istitle() or (" " in text and text[0].isupper())


def _modules(package: str) -> list[ModuleType]:
    return [
        module
        for name, module in list(sys.modules.items())
        if (name == package or name.startswith(f"{package}.")) and isinstance(module, ModuleType)
    ]


def _texts_of(module: ModuleType) -> Iterator[str]:
    """The texts of a module's constants and of its functions, without what documents them."""
    for name, item in list(vars(module).items()):
        if isinstance(item, type | FunctionType):
            if item.__module__ == module.__name__:
                yield from _texts_in_code(item)
        elif not name.startswith("__"):
            yield from _texts_in(item)


def _texts_in_code(item: object) -> Iterator[str]:
    """Those of a function, or of a class's methods."""
    if isinstance(item, type):
        for part in vars(item).values():
            yield from _texts_in_code(part.__func__ if isinstance(part, classmethod | staticmethod) else part)
    elif isinstance(item, FunctionType):
        yield from (text for text in _texts_in(item.__code__) if text != item.__doc__)


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, CodeType):
        yield from (text for constant in value.co_consts for text in _texts_in(constant))
    elif isinstance(value, dict):
        yield from (text for part in (*value.keys(), *value.values()) for text in _texts_in(part))
    elif isinstance(value, tuple | list | set | frozenset):
        yield from (text for part in value for text in _texts_in(part))
