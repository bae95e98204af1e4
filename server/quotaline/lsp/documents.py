"""Language features of Quotaline's own two documents, the config file and the report. Silent everywhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path

from quotaline.application import Application
from quotaline.config import Diagnostic, Loaded
from quotaline.config.fields import METRICS
from quotaline.lsp import methods
from quotaline.lsp.client import Client
from quotaline.paths import report_path, seen_by_others
from quotaline.render.hover import provider_hover
from quotaline.render.statusline import state_text
from quotaline.render.text import announced
from quotaline.render.view import View
from quotaline.render.wire import DocumentsResult
from quotaline.state import ProviderState
from quotaline_providers.contract import Choice, Provider

_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
}


_COMMANDS_OF_ALL = (
    types.Command("Refresh AI usage", methods.REFRESH),
    types.Command("Show AI usage report", methods.SHOW_REPORT),
    types.Command("Open Quotaline's configuration", methods.OPEN_CONFIG),
)


class Documents:
    """Answers for the config file and the report; `None` or nothing, at once, for any other document."""

    def __init__(self, client: Client, application: Application, view: Callable[[], View]) -> None:
        self._client = client
        self._keeper = application.keeper
        self._service = application.service
        self._machine = application.machine
        self._view = view
        self._config_uri: str | None = None
        self.report_path = report_path()

    def uris(self) -> DocumentsResult:
        """The answer of `quotaline/documents`."""
        return DocumentsResult(*(seen_by_others(path).as_uri() for path in (self._keeper.path, self.report_path)))

    # --- the config file as the editor has it ---

    def changed(self, uri: str) -> None:
        """A document was opened or edited."""
        from quotaline.config.editor import language

        if self._is_config(uri):
            self._config_uri = uri
            text = self._text(uri)
            self._publish(uri, (*language.diagnostics(text), *language.metric_diagnostics(text, self._windows)))

    def closed(self, uri: str) -> None:
        if uri == self._config_uri:
            self._config_uri = None
            self.config_loaded(self._keeper.loaded)

    def config_loaded(self, loaded: Loaded) -> None:
        """The file on disk was read: its problems are shown unless the editor has a newer text."""
        if self._config_uri is None:
            own = tuple(item for item in loaded.diagnostics if item.file in (None, loaded.path))
            self._publish(seen_by_others(loaded.path).as_uri(), own)

    def _publish(self, uri: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        self._client.publish_diagnostics(uri, [_to_lsp(item) for item in diagnostics])

    # --- requests ---

    def hover(self, uri: str, position: types.Position) -> types.Hover | None:
        """In the config file: what a key means, and the provider's usage; in the report: the section's provider."""
        from quotaline.config.editor import language

        if self._is_config(uri):
            found = language.hover(self._text(uri), position.line, position.character)
            if found is None:
                return None
            usage = "\n\n".join(
                self._hover_of(state) for state in self._states(_provider_at(self._text(uri), position.line))
            )
            return _markdown("\n\n---\n\n".join(filter(None, (found.markdown, usage))))
        if self._is_report(uri):
            state = self._section(uri, position.line)
            return _markdown(self._hover_of(state)) if state else None
        return None

    async def completion(self, uri: str, position: types.Position) -> types.CompletionList | None:
        from quotaline.config.editor import language

        if not self._is_config(uri):
            return None
        place = self._text(uri), position.line, position.character
        found = await asyncio.to_thread(language.completion, *place, self._choices)  # looks into folders
        items = [
            types.CompletionItem(
                label=item.label,
                detail=item.detail or None,
                documentation=types.MarkupContent(types.MarkupKind.Markdown, item.documentation),
                kind=types.CompletionItemKind.Property if item.kind == "key" else types.CompletionItemKind.Value,
                text_edit=types.TextEdit(_range(*item.range), item.text),
                filter_text=item.text,
            )
            for item in found
        ]
        return types.CompletionList(is_incomplete=False, items=items)

    def _choices(self, provider: Provider, name: str) -> tuple[Choice, ...]:
        from quotaline.detection.detect import choices

        if name == "metric":
            return tuple(Choice(id, label) for id, label in {**METRICS, **self._windows(provider.id)}.items())
        return choices(provider, self._keeper.loaded.config, self._machine).get(name, ())

    def code_lenses(self, uri: str) -> list[types.CodeLens]:
        """Refresh and dashboard above every provider of the config file or the report."""
        lenses: list[types.CodeLens] = []
        for line, id in self._places(uri):
            for state in self._states(id)[:1]:
                at = _range(line, 0, line, 0)
                lenses.append(types.CodeLens(at, types.Command("Refresh", methods.REFRESH, arguments=[id])))
                if state.dashboard:
                    lenses.append(
                        types.CodeLens(at, types.Command("Dashboard", methods.OPEN_DASHBOARD, arguments=[id]))
                    )
        return lenses

    def code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """What the commands do, for editors that have no commands of ours: of the provider on this line, and of all."""
        uri, only = params.text_document.uri, params.context.only
        if only is not None and not any(kind in ("", types.CodeActionKind.Source) for kind in only):
            return []
        own = self._is_config(uri) or self._is_report(uri)
        if not own and self._view().settings.code_actions != "everywhere":
            return []
        state = self._section(uri, params.range.start.line) if own else None
        commands = [*(_commands_of(state) if state else ()), *_COMMANDS_OF_ALL]
        return [
            types.CodeAction(title=command.title, kind=types.CodeActionKind.Source, command=command)
            for command in commands
        ]

    def inlay_hints(self, uri: str) -> list[types.InlayHint]:
        """The usage now, behind every provider of the config file."""
        if not self._is_config(uri):
            return []
        lines = self._text(uri).split("\n")
        return [
            types.InlayHint(types.Position(line, _utf16(lines[line].rstrip("\r"))), f"  {text}", padding_left=True)
            for line, id in self._places(uri)
            if (text := ", ".join(state_text(state, self._view()) for state in self._states(id)))
        ]

    # --- what they need ---

    def _windows(self, provider: str) -> dict[str, str]:
        """The windows that the provider's accounts have now: label by id."""
        usages = (state.usage for state in self._states(provider) if state.usage is not None)
        return {one.id: one.label for usage in usages for one in usage.windows if not one.placeholder}

    def _is_config(self, uri: str) -> bool:
        return _same_file(uri, self._keeper.path)

    def _is_report(self, uri: str) -> bool:
        return _same_file(uri, self.report_path)

    def _text(self, uri: str) -> str:
        return self._client.text_of(uri)

    def _states(self, provider: str | None) -> list[ProviderState]:
        return [state for state in self._service.snapshot().states if state.provider == provider]

    def _hover_of(self, state: ProviderState) -> str:
        return provider_hover(state, self._view())

    def _places(self, uri: str) -> list[tuple[int, str]]:
        """Lines that begin a provider, with its id."""
        from quotaline.config.editor import language

        if self._is_config(uri):
            return list(language.provider_lines(self._text(uri)))
        if self._is_report(uri):
            by_name = {state.name: state.provider for state in self._service.snapshot().states}
            headings = enumerate(self._text(uri).split("\n"))
            return [(n, id) for n, line in headings for name, id in by_name.items() if _heads(line, name)]
        return []

    def _section(self, uri: str, line: int) -> ProviderState | None:
        id = next((id for at, id in reversed(self._places(uri)) if at <= line), None)
        return next(iter(self._states(id)), None)


def _commands_of(state: ProviderState) -> list[types.Command]:
    """What can be done with one provider."""
    name = announced(state.name)
    wanted = [(f"Refresh {name}", methods.REFRESH), (f"Sign in to {name}", methods.SIGN_IN)]
    if state.dashboard:
        wanted.append((f"Open {name}'s dashboard", methods.OPEN_DASHBOARD))
    return [types.Command(title, command, arguments=[state.provider]) for title, command in wanted]


def _provider_at(text: str, line: int) -> str | None:
    """The provider whose `id` stands on this line of the config file."""
    from quotaline.config.editor import language

    return next((id for at, id in language.provider_lines(text) if at == line), None)


def _heads(line: str, name: str) -> bool:
    return line.startswith("#") and line.lstrip("# ").startswith(name)


def _markdown(value: str) -> types.Hover:
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, value))


def _range(line: int, start: int, end_line: int, end: int) -> types.Range:
    return types.Range(types.Position(line, start), types.Position(end_line, end))


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _to_lsp(item: Diagnostic) -> types.Diagnostic:
    return types.Diagnostic(
        range=_range(item.line, item.column, item.end_line, item.end_column),
        message=item.message,
        severity=_SEVERITY.get(item.severity, types.DiagnosticSeverity.Warning),
        code=item.code,
        source="quotaline",
    )


def _same_file(uri: str, path: Path) -> bool:
    found = to_fs_path(uri)
    return found is not None and os.path.normcase(os.path.realpath(found)) == os.path.normcase(os.path.realpath(path))
