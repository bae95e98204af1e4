/**
 * What the server tells, version 1 of its protocol (docs/protocol.md), read so that nothing unexpected in it can
 * break the client: unknown keys are ignored, and what is missing or of the wrong type is as good as absent.
 */

import type * as wire from './protocol.generated';
import { VERSION, type CredentialKind, type Severity } from './protocol.generated';

export {
  DID_CHANGE_USAGE,
  DID_INTERACT,
  DOCUMENTS,
  PROVIDERS,
  REPORT,
  RESTART_DUE,
  VERSION,
} from './protocol.generated';
export type { CredentialKind, Severity } from './protocol.generated';

export interface Usage {
  readonly text: string;
  readonly severity: Severity;
  /** Markdown over all providers. */
  readonly hover: string;
  readonly providers: readonly ProviderState[];
  /** Why the server must be restarted, in a sentence; empty when it need not. */
  readonly restartDue: string;
}

export interface ProviderState {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly severity: Severity;
  readonly hover: string;
  readonly account: string | undefined;
  readonly plan: string | undefined;
  readonly refreshing: boolean;
  readonly windows: readonly Limit[];
  readonly balances: readonly Balance[];
  /** Why the vendor says that the account cannot be used now. */
  readonly blocked: string | undefined;
  readonly error: ProviderError | undefined;
  readonly dashboardUrl: string | undefined;
}

/** A window of the protocol; the name is taken in an editor. */
export interface Limit {
  readonly label: string;
  /** "62% used, resets in 2h" */
  readonly text: string;
}

export interface Balance {
  readonly label: string;
  readonly text: string;
}

export interface ProviderError {
  readonly kind: string;
  readonly message: string;
  readonly hint: string;
}

/** A provider that could be shown, whether it is or not. */
export interface KnownProvider {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  readonly connect: string;
  readonly shown: boolean;
  readonly signIn: boolean;
  readonly credentials: readonly CredentialKind[];
  readonly keyUrl: string | undefined;
  readonly dashboardUrl: string | undefined;
}

/** What a `quotaline/didChangeUsage` turned out to be. */
export type Reading =
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'otherVersion'; readonly version: string };

export interface ReportParts {
  readonly content: string;
  readonly style: string;
}

export interface Documents {
  readonly config: string | undefined;
  readonly report: string | undefined;
}

export function readUsage(params: unknown): Reading {
  const whole = record<wire.UsageParams>(params);
  if (whole.version !== VERSION) {
    const version = whole.version;
    return {
      kind: 'otherVersion',
      version:
        typeof version === 'number' || typeof version === 'string' ? String(version).slice(0, 20) : 'unknown',
    };
  }
  const line = record<wire.StatusLine>(whole.statusLine);
  return {
    kind: 'usage',
    usage: {
      text: text(line.text),
      severity: severity(line.severity),
      hover: markup(line.hover),
      providers: list(whole.providers).map(readProvider).filter(isIdentified),
      restartDue: text(whole.restartDue),
    },
  };
}

export function readKnownProviders(result: unknown): KnownProvider[] {
  return list(record<wire.ProvidersResult>(result).providers)
    .map(record<wire.KnownProvider>)
    .map((one) => ({
      id: text(one.id),
      name: text(one.name) || text(one.id),
      summary: text(one.summary),
      connect: text(one.connect),
      shown: one.shown === true,
      signIn: one.signIn === true,
      credentials: list(one.credentials).filter((kind) => kind === 'key' || kind === 'cookie'),
      keyUrl: webAddress(one.keyUrl),
      dashboardUrl: webAddress(one.dashboardUrl),
    }))
    .filter(isIdentified);
}

export function readReport(result: unknown): ReportParts {
  const parts = record<wire.ReportFragment>(result);
  return { content: text(parts.content), style: text(parts.style) };
}

export function readDocuments(result: unknown): Documents {
  const named = record<wire.DocumentsResult>(result);
  return { config: optional(named.config), report: optional(named.report) };
}

/** Why the server must be restarted, in a sentence; empty when it did not say. */
export function readRestartDue(params: unknown): string {
  return text(record<wire.RestartDueParams>(params).message);
}

/** The sentence a command answered with, if it did. */
export function readMessage(result: unknown): string {
  return text(record<wire.MessageResult>(result).message);
}

export interface Outcome {
  readonly id: string;
  readonly ok: boolean;
  readonly message: string;
}

/** What a refresh came to, for each account. */
export function readOutcomes(result: unknown): Outcome[] {
  return list(record<wire.RefreshResult>(result).outcomes)
    .map(record<wire.Outcome>)
    .map((one) => ({ id: text(one.id), ok: one.ok !== false, message: text(one.message) }));
}

function readProvider(value: unknown): ProviderState {
  const one = record<wire.ProviderState>(value);
  const id = text(one.id);
  return {
    id,
    name: text(one.name) || id,
    text: text(one.text) || text(one.name) || id,
    severity: severity(one.severity),
    hover: markup(one.hover),
    account: optional(one.account),
    plan: optional(one.plan),
    refreshing: one.refreshing === true,
    windows: list(one.windows).map(readLimit),
    balances: list(one.balances)
      .map(record<wire.Balance>)
      .map((balance) => ({ label: text(balance.label), text: text(balance.text) })),
    blocked: optional(one.blocked),
    error: readError(one.error),
    dashboardUrl: webAddress(one.dashboardUrl),
  };
}

function readLimit(value: unknown): Limit {
  const one = record<wire.Window>(value);
  const percent = one.usedPercent;
  const plain = typeof percent === 'number' ? `${Math.round(percent)}% used` : '';
  return { label: text(one.label) || text(one.id), text: text(one.text) || plain };
}

function readError(value: unknown): ProviderError | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const error = record<wire.ProviderError>(value);
  return { kind: text(error.kind), message: text(error.message), hint: text(error.hint) };
}

function isIdentified(one: { id: string }): boolean {
  return one.id !== '';
}

function severity(value: unknown): Severity {
  switch (value) {
    case 'warning':
    case 'critical':
    case 'stale':
    case 'error':
    case 'empty':
      return value;
    default:
      return 'ok';
  }
}

function webAddress(value: unknown): string | undefined {
  return typeof value === 'string' && /^https?:\/\//i.test(value) ? value : undefined;
}

function markup(value: unknown): string {
  return typeof value === 'string' ? value : text(record<wire.MarkupContent>(value).value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function optional(value: unknown): string | undefined {
  return text(value) || undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The members of what came in place of a `T`: each of them may be anything. */
function record<T extends object>(value: unknown): Partial<Record<keyof T, unknown>> {
  return typeof value === 'object' && value !== null ? value : {};
}
