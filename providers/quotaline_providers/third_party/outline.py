"""What a provider's source says of itself, read without running it: its name, the hosts and credentials it names.

This is for a person who decides whether to run it, and to find credentials that belong to another provider. It is no
wall: code that hides what it does is not seen through.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_ADDRESS = re.compile(r"https?://([^\s\"'<>`/?#\\]+)", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_FOR_PEOPLE = frozenset({"summary", "connect", "dashboard", "keys", "key_url", "description"})
"""Arguments of a provider that are only shown: an address in one of them is opened by the user."""
_LONGEST_CHAIN = 64
"""Parts of a chain of texts: no credential's path has as many."""


@dataclass(frozen=True, slots=True)
class Outline:
    """`id` and `name` are those of `PROVIDER`, None where they are not written out. `variables` are texts that look
    like environment variables; `paths` are texts and chains of texts (`a / "b" / "c"`) that look like files."""

    id: str | None = None
    name: str | None = None
    hosts: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    def __or__(self, other: Outline) -> Outline:
        """Both together: a provider may be several modules."""
        return Outline(
            self.id or other.id,
            self.name or other.name,
            self.hosts | other.hosts,
            self.variables | other.variables,
            self.paths | other.paths,
        )


def outline(source: bytes, file: str = "<source>") -> Outline:
    """The outline of a module. Raises SyntaxError (also for bytes that are no text)."""
    try:
        with warnings.catch_warnings(action="ignore"):  # Python prints the warned line as it stands, whatever is in it
            tree = ast.parse(source, file)
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, a nesting that Python does not take
        raise SyntaxError(str(type(error).__name__), (file, 1, 1, "")) from None
    texts = tuple(_texts(tree))
    id, name = _declared(tree)
    return Outline(
        id,
        name,
        frozenset(host for text in texts for host in _hosts(text)),
        frozenset(text for text in texts if _VARIABLE.fullmatch(text)),
        frozenset((*(text for text in texts if "/" in text and "://" not in text), *_chains(tree))),
    )


def _texts(tree: ast.AST) -> Iterator[str]:
    """All texts in the code: no docstrings, and not what is only shown. Nesting of any depth is followed."""
    left = [tree]
    while left:
        for child in ast.iter_child_nodes(left.pop()):
            if isinstance(child, ast.keyword) and child.arg in _FOR_PEOPLE:
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.Constant) and isinstance(child.value, str):
                yield child.value
            elif isinstance(child, ast.JoinedStr):
                yield _joined(child)
                left += [part for part in child.values if isinstance(part, ast.FormattedValue)]
            else:
                left.append(child)


def _joined(text: ast.JoinedStr) -> str:
    """An f-string with `{}` for what is put in at run time."""
    parts = (
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{}" for part in text.values
    )
    return "".join(parts)


def _hosts(text: str) -> Iterator[str]:
    """The hosts of the addresses in a text; one that is put together at run time has `{}` in it. Whatever could look
    like something else on a screen is escaped."""
    for place in _ADDRESS.findall(text):
        if host := place.rpartition("@")[2]:
            yield "".join(char if " " < char < "\x7f" else f"\\u{ord(char):04x}" for char in host.lower())


def _chains(tree: ast.AST) -> Iterator[str]:
    """`home / ".codex" / "auth.json"` as `.codex/auth.json`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = _chain(node)
            if len(parts) > 1:
                yield "/".join(parts)


def _chain(node: ast.expr) -> list[str]:
    """The texts that are joined by `/`; none of a chain that is longer than any path."""
    texts, left = list[str](), [node]
    for _ in range(2 * _LONGEST_CHAIN):
        if not left:
            return texts[::-1]
        part = left.pop()
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div):
            left += [part.left, part.right]
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            texts.append(part.value)
    return []


def _declared(tree: ast.Module) -> tuple[str | None, str | None]:
    """The id and the name in `PROVIDER = Provider(...)`."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if not any(isinstance(target, ast.Name) and target.id == "PROVIDER" for target in targets):
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            given = dict(zip(("id", "name"), node.value.args, strict=False))
            given |= {word.arg: word.value for word in node.value.keywords if word.arg}
            return _text(given.get("id")), _text(given.get("name"))
    return None, None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
