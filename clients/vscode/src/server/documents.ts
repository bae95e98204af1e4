/** Language features in the server's own two documents, and in no other: the server names them once it runs. */

import type { LanguageClient, ServerCapabilities } from 'vscode-languageclient/node';
import * as vscode from 'vscode';
import type { Documents } from '../protocol';

interface Offer {
  readonly method: string;
  /** The options the server gave; undefined when it does not offer this. */
  readonly options: (can: ServerCapabilities) => object | boolean | undefined;
}

const OFFERS: readonly Offer[] = [
  { method: 'textDocument/didOpen', options: () => true },
  { method: 'textDocument/didChange', options: () => ({ syncKind: 1 }) },
  { method: 'textDocument/didClose', options: () => true },
  { method: 'textDocument/hover', options: (can) => can.hoverProvider },
  { method: 'textDocument/completion', options: (can) => can.completionProvider },
  { method: 'textDocument/codeLens', options: (can) => can.codeLensProvider },
  { method: 'textDocument/inlayHint', options: (can) => can.inlayHintProvider },
];

/** Register what the server offers for these documents. It ends with the client. */
export function attach(client: LanguageClient, documents: Documents): void {
  const documentSelector = [documents.config, documents.report]
    .filter((uri) => uri !== undefined)
    .map((uri) => ({ scheme: 'file', pattern: pattern(vscode.Uri.parse(uri).path) }));
  const can = client.initializeResult?.capabilities;
  if (can === undefined || documentSelector.length === 0) return;
  for (const { method, options } of OFFERS) {
    const offered = options(can);
    const feature = client.getFeature(method as 'textDocument/hover') as Registrable | undefined;
    if (feature === undefined || offered === undefined || offered === false) continue;
    const given = typeof offered === 'object' ? offered : {};
    feature.register({ id: `quotaline ${method}`, registerOptions: { ...given, documentSelector } });
  }
}

interface Registrable {
  register(data: { id: string; registerOptions: object }): void;
}

/**
 * A glob for one file, by its last two names. A character that means something in a glob stands as "any one character"; the
 * server looks at the whole path anyway and is silent in any other document.
 */
export function pattern(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  return `**/${names
    .slice(-2)
    .join('/')
    .replace(/[*?[\]{}!,]/g, '?')}`;
}
