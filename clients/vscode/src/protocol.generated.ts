/** The protocol as the server has it. Generated from server/quotaline/render/wire.py by docs/generate.py (`make docs`). */

export const VERSION = 1;

export const DID_CHANGE_USAGE = 'quotaline/didChangeUsage';
export const RESTART_DUE = 'quotaline/restartDue';
export const USAGE = 'quotaline/usage';
export const REPORT = 'quotaline/report';
export const DID_INTERACT = 'quotaline/didInteract';
export const CONFIG_SCHEMA = 'quotaline/configSchema';
export const PROVIDERS = 'quotaline/providers';
export const DOCUMENTS = 'quotaline/documents';

export type Severity = 'ok' | 'warning' | 'critical' | 'stale' | 'error' | 'empty';

export type ErrorKind =
  | 'missing_credential'
  | 'expired_credential'
  | 'forbidden'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'bad_response'
  | 'missing_program'
  | 'misconfigured';

export type Indicator = 'none' | 'minor' | 'major' | 'critical' | 'maintenance' | 'unknown';

export type CredentialKind = 'key' | 'cookie';

export type ReportFormat = 'markdown' | 'html' | 'fragment' | 'text';

/** As in LSP. */
export interface MarkupContent {
  readonly kind: 'markdown';
  readonly value: string;
}

/** What stands in the editor's status line. */
export interface StatusLine {
  /** "Claude 62% 2h · Codex 18%" */
  readonly text: string;
  /** The worst of the providers'. */
  readonly severity: Severity;
  /** All providers, for a tooltip. */
  readonly hover: MarkupContent;
}

/** An allowance over a period. */
export interface Window {
  /** "session", "weekly", ...: stable. */
  readonly id: string;
  readonly label: string;
  /** "62% used, resets in 2h"; may be empty. */
  readonly text: string;
  /** 0 to 100. */
  readonly usedPercent: number | null;
  /** In `unit`. */
  readonly used: number | null;
  /** In `unit`. */
  readonly limit: number | null;
  readonly unit: string | null;
  readonly resetsAt: string | null;
  /** 43200 is one calendar month. */
  readonly windowMinutes: number | null;
  /** Whether its exhaustion stops the whole account; that of one model or feature does not. */
  readonly blocks: boolean;
  /** There is no limit: a full bar of what is left, no percentage. */
  readonly unlimited: boolean;
}

/** An amount that is left. */
export interface Balance {
  readonly id: string;
  readonly label: string;
  /** In `unit`; null for one that is too large for JSON. */
  readonly amount: number | null;
  /** A currency code, or a word such as "credits". */
  readonly unit: string;
  /** "$18.40" */
  readonly text: string;
}

/** What a vendor's status page says. */
export interface VendorStatus {
  readonly indicator: Indicator;
  /** "Operational", "Partial outage", "Major outage", ... */
  readonly label: string;
  /** The vendor's own words. */
  readonly description: string | null;
  /** When the vendor said so. */
  readonly updatedAt: string | null;
  /** The page for people. */
  readonly url: string | null;
}

/** Why the last refresh failed. */
export interface ProviderError {
  readonly kind: ErrorKind;
  /** What happened. */
  readonly message: string;
  /** What to do next; may be empty. */
  readonly hint: string;
}

/** One account of one provider. */
export interface ProviderState {
  /** "claude"; repeated when several accounts are shown. */
  readonly id: string;
  /** "Claude" */
  readonly name: string;
  /** This provider's part of a status line. */
  readonly text: string;
  readonly severity: Severity;
  readonly hover: MarkupContent;
  /** Whose usage it is; null with `hideIdentity`. */
  readonly account: string | null;
  readonly plan: string | null;
  /** The way it was read: "oauth", "codex-cli", ... */
  readonly source: string | null;
  /** When the usage was read. */
  readonly updatedAt: string | null;
  /** Older than it should be, or the last refresh failed. */
  readonly stale: boolean;
  /** Someone is reading it now. */
  readonly refreshing: boolean;
  readonly windows: readonly Window[];
  readonly balances: readonly Balance[];
  /** The id of the window, balance or spend that `text` shows; null when there is none. */
  readonly headline: string | null;
  /** Why the vendor says that the account cannot be used now, whatever the numbers say. */
  readonly blocked: string | null;
  /** Stands beside the last good usage. */
  readonly error: ProviderError | null;
  /** What the vendor's status page says; null when not asked (`checkStatus`) or not known. */
  readonly status: VendorStatus | null;
  readonly dashboardUrl: string | null;
}

/** All that is shown. */
export interface UsageParams {
  readonly version: 1;
  readonly statusLine: StatusLine;
  /** In display order. */
  readonly providers: readonly ProviderState[];
  /** Why the server must be restarted to go on refreshing, in a sentence; null when it need not. */
  readonly restartDue: string | null;
}

/** Why the server must be restarted to go on refreshing. */
export interface RestartDueParams {
  /** In a sentence for the user. */
  readonly message: string;
}

/** Which report is wanted. */
export interface ReportParams {
  readonly format: ReportFormat;
}

/** The report of all providers at length. */
export interface Report {
  readonly format: ReportFormat;
  readonly content: string;
}

/** The report for a page of the client's own, in the format "fragment". */
export interface ReportFragment extends Report {
  /** The style sheet that the content needs. */
  readonly style: string;
}

/** A provider that there is, shown or not. */
export interface KnownProvider {
  readonly id: string;
  readonly name: string;
  /** What is shown of it, in a sentence. */
  readonly summary: string;
  readonly shown: boolean;
  /** Whether it has an interactive sign-in. */
  readonly signIn: boolean;
  /** How to connect it, in a sentence. */
  readonly connect: string;
  /** What the user can give for it. */
  readonly credentials: readonly CredentialKind[];
  /** Where a key is made. */
  readonly keyUrl: string | null;
  readonly dashboardUrl: string | null;
}

/** All providers, by id. */
export interface ProvidersResult {
  readonly providers: readonly KnownProvider[];
}

/** The URIs of the documents that have language features. */
export interface DocumentsResult {
  readonly config: string;
  readonly report: string;
}

/** What a refresh came to, for one account. */
export interface Outcome {
  readonly id: string;
  /** Its label; null for the provider's only account. */
  readonly account: string | null;
  readonly ok: boolean;
  /** Whether the vendor was asked. Not when a read a moment ago, another window's read or a promised wait answered. */
  readonly asked: boolean;
  /** What went wrong and what to do next; null when nothing did. */
  readonly message: string | null;
}

/** One outcome per account that was to be read. */
export interface RefreshResult {
  readonly outcomes: readonly Outcome[];
}

/** The address that was opened. */
export interface DashboardResult {
  readonly url: string;
}

/** The document that was shown. */
export interface DocumentResult {
  readonly uri: string;
}

/** What was done, in a sentence for the user. */
export interface MessageResult {
  readonly message: string;
}

/** How a sign-in ended. */
export interface SignInResult {
  readonly ok: boolean;
  /** What happened or what to do, in a sentence for the user. */
  readonly message: string;
}

/** Where a credential was kept. */
export interface SetCredentialResult {
  readonly kept: 'keyring' | 'config';
  /** The same in a sentence for the user. */
  readonly message: string;
}
