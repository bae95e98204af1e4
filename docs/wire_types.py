"""The protocol's types for people and clients: TypeScript and LuaCATS, made from `quotaline.render.wire`."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import EnumMeta
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from quotaline.lsp import methods
from quotaline.render import wire

LINE = 110
"""Columns, as the clients' formatters have them."""
NAMED: dict[str, Any] = {
    "Severity": wire.Severity,
    "ErrorKind": wire.Kind,
    "Indicator": wire.Indicator,
    "CredentialKind": wire.CredentialKind,
    "ReportFormat": wire.ReportFormat,
}
"""Sets of texts that have a name of their own."""
SOURCE = "Generated from server/quotaline/render/wire.py by docs/generate.py (`make docs`)."


@dataclass(frozen=True)
class Member:
    """A member of a JSON object. `type` is Python's."""

    name: str
    type: Any
    doc: str


@dataclass(frozen=True)
class Interface:
    """A JSON object of the protocol. `base` is the name of the one it extends."""

    name: str
    doc: str
    base: str | None
    members: tuple[Member, ...]


def interfaces() -> list[Interface]:
    """All objects of the protocol, each after those it is made of."""
    tree = ast.parse(inspect.getsource(wire))
    return [_interface(node) for node in tree.body if isinstance(node, ast.ClassDef) and node.name != "Wire"]


def names() -> set[str]:
    """The names of all types."""
    return {*NAMED, *(interface.name for interface in interfaces())}


def _interface(node: ast.ClassDef) -> Interface:
    kind = getattr(wire, node.name)
    hints = get_type_hints(kind)
    base = next(name.id for name in node.bases if isinstance(name, ast.Name))
    members = tuple(Member(wire.camel_case(name), hints[name], doc) for name, doc in _fields(node))
    return Interface(node.name, inspect.getdoc(kind) or "", base if base != "Wire" else None, members)


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The names of a class's own fields, each with the text below it."""
    for statement, below in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            has_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            doc = below.value.value.strip() if has_text else ""
            yield statement.target.id, doc


def _texts(alias: Any) -> list[str]:
    return [item.value for item in alias] if isinstance(alias, EnumMeta) else list(get_args(alias))


# --- TypeScript ------------------------------------------------------------------------------------


def protocol_types() -> str:
    """The types as docs/protocol.md shows them."""
    blocks = [_alias(name, alias, "type", '"', "") for name, alias in NAMED.items()]
    blocks += [_documented(interface) for interface in interfaces()]
    return "\n".join(("```typescript", "\n\n".join(blocks), "```"))


def _documented(interface: Interface) -> str:
    lines = [f"// {interface.doc}", f"interface {_head(interface)} {{"]
    for member in interface.members:
        kind = _typescript(member.type, '"', read_only=False)
        line = f"  {member.name}: {kind}"
        lines.append(f"{line:<33} // {member.doc}" if member.doc else line)
    return "\n".join((*lines, "}"))


def typescript() -> str:
    """The module of the VS Code client, as Prettier has it."""
    constants = [
        f"export const {name} = '{value}';"
        for name, value in vars(methods).items()
        if name.isupper() and isinstance(value, str) and value.startswith("quotaline/")
    ]
    blocks = [
        f"/** The protocol as the server has it. {SOURCE} */",
        f"export const VERSION = {wire.VERSION};",
        "\n".join(constants),
        *(_alias(name, alias, "export type", "'", ";") for name, alias in NAMED.items()),
        *(_exported(interface) for interface in interfaces()),
    ]
    return "\n\n".join(blocks) + "\n"


def _exported(interface: Interface) -> str:
    lines = [f"/** {interface.doc} */", f"export interface {_head(interface)} {{"]
    for member in interface.members:
        if member.doc:
            lines.append(f"  /** {member.doc} */")
        kind = _typescript(member.type, "'", read_only=True)
        lines.append(f"  readonly {member.name}: {kind};")
    return "\n".join((*lines, "}"))


def _head(interface: Interface) -> str:
    return f"{interface.name} extends {interface.base}" if interface.base else interface.name


def _alias(name: str, alias: Any, keyword: str, quote: str, end: str) -> str:
    texts = [f"{quote}{text}{quote}" for text in _texts(alias)]
    line = f"{keyword} {name} = {' | '.join(texts)}{end}"
    return line if len(line) <= LINE else "\n  | ".join((f"{keyword} {name} =", *texts)) + end


def _typescript(kind: Any, quote: str, *, read_only: bool) -> str:
    def of(inner: Any) -> str:
        return _typescript(inner, quote, read_only=read_only)

    simple = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
    if kind in simple:
        return simple[kind]
    if name := next((name for name, alias in NAMED.items() if alias == kind), None):
        return name
    if get_origin(kind) in (Union, types.UnionType):
        return " | ".join(map(of, get_args(kind)))
    if get_origin(kind) is Literal:
        return " | ".join(f"{quote}{item}{quote}" if isinstance(item, str) else str(item) for item in get_args(kind))
    if get_origin(kind) is tuple:
        return f"{'readonly ' if read_only else ''}{of(get_args(kind)[0])}[]"
    return str(kind.__name__)


# --- Lua -------------------------------------------------------------------------------------------


def luacats() -> str:
    """The annotations of the Neovim client. `null` comes as nil there."""
    blocks = [f"---@meta\n--- The protocol as the server has it. {SOURCE}"]
    for name, alias in NAMED.items():
        blocks.append("\n---| ".join((f"---@alias quotaline.wire.{name}", *(f'"{text}"' for text in _texts(alias)))))
    for interface in interfaces():
        base = f": quotaline.wire.{interface.base}" if interface.base else ""
        lines = [f"--- {interface.doc}", f"---@class quotaline.wire.{interface.name}{base}"]
        for member in interface.members:
            line = f"---@field {member.name} {_lua(member.type)}"
            if len(f"{line} {member.doc}") > LINE:
                lines += [f"--- {member.doc}", line]
            else:
                lines.append(f"{line} {member.doc}".rstrip())
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _lua(kind: Any) -> str:
    simple = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "nil"}
    if kind in simple:
        return simple[kind]
    if name := next((name for name, alias in NAMED.items() if alias == kind), None):
        return f"quotaline.wire.{name}"
    if get_origin(kind) in (Union, types.UnionType):
        return "|".join(map(_lua, get_args(kind)))
    if get_origin(kind) is Literal:
        return "|".join(f'"{item}"' if isinstance(item, str) else str(item) for item in get_args(kind))
    if get_origin(kind) is tuple:
        return f"{_lua(get_args(kind)[0])}[]"
    return f"quotaline.wire.{kind.__name__}"
