/** One running server: its process, and the language client that speaks with it. */

import { spawn, type ChildProcess } from 'node:child_process';
import type * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  ErrorCodes,
  ExecuteCommandRequest,
  LanguageClient,
  ResponseError,
  RevealOutputChannelOn,
  type ClientCapabilities,
  type DynamicFeature,
  type FeatureState,
  type LanguageClientOptions,
  type ServerOptions,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { DID_CHANGE_USAGE, DOCUMENTS, RESTART_DUE, readDocuments } from '../protocol';
import { attach } from './documents';
import type { Program } from './finding';

export interface ConnectionOptions {
  readonly program: Program;
  readonly environ: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly settings: Record<string, unknown>;
  readonly log: vscode.LogOutputChannel;
  readonly onUsage: (params: unknown) => void;
  readonly onRestartDue: (params: unknown) => void;
  /** The server is gone without having been asked to go; called once. */
  readonly onEnded: (reason: string) => void;
}

const CONNECTION_LOST: readonly number[] = [
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
];
const START_TIMEOUT = 30_000;
const STOP_TIMEOUT = 2_000;
const EXIT_PATIENCE = 500;

export class Connection {
  readonly #client: QuietClient;
  #process: ChildProcess | undefined;
  #over = false;

  constructor(private readonly options: ConnectionOptions) {
    const clientOptions: LanguageClientOptions = {
      documentSelector: [],
      initializationOptions: { quotaline: options.settings },
      outputChannel: options.log,
      traceOutputChannel: SILENT,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      connectionOptions: { maxRestartCount: 0 },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          this.#suspect('it closed the connection');
          return { action: CloseAction.DoNotRestart, handled: true, message: 'The connection is closed.' };
        },
      },
    };
    this.#client = new QuietClient(options.log, () => this.#spawn(), clientOptions);
    this.#client.registerFeature(new UsageCapability());
    this.#client.onNotification(DID_CHANGE_USAGE, options.onUsage);
    this.#client.onNotification(RESTART_DUE, options.onRestartDue);
  }

  /** Start the server. Never rejects: a failure comes as `onEnded`. */
  async open(): Promise<boolean> {
    try {
      await within(START_TIMEOUT, this.#client.start());
    } catch (error) {
      this.#suspect(error instanceof Error ? error.message : 'it did not start');
      return false;
    }
    if (this.#over) return false;
    try {
      attach(this.#client, readDocuments(await this.request(DOCUMENTS, {})));
    } catch (error) {
      this.options.log.warn(`Without help in the configuration file: ${String(error)}`);
    }
    return true;
  }

  request(method: string, params: unknown): Promise<unknown> {
    return this.#client.sendRequest(method, params);
  }

  /** Run one of the server's commands. Rejects with a sentence for the user. */
  async execute(command: string, args: readonly unknown[]): Promise<unknown> {
    try {
      return await this.request(ExecuteCommandRequest.method, { command, arguments: args });
    } catch (error) {
      const lost = error instanceof ResponseError && CONNECTION_LOST.includes(error.code);
      throw lost ? new Error('the server ended before this was done. Please try again in a moment.') : error;
    }
  }

  notify(method: string, params: unknown): void {
    if (!this.#over && this.#client.isRunning()) void this.#client.sendNotification(method, params);
  }

  /** Ask the server to go, and see to it that it does. */
  async close(): Promise<void> {
    this.#over = true;
    try {
      await this.#client.dispose(STOP_TIMEOUT);
    } catch {
      // It was not running (any more).
    }
    this.#process?.kill();
  }

  #spawn(): Promise<ChildProcess> {
    const { program, environ, cwd, log } = this.options;
    const child = spawn(program.command, program.args, { env: environ, cwd, windowsHide: true });
    this.#process = child;
    child.on('exit', (code, signal) => {
      this.#ended(signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`);
    });
    child.stdin.on('error', () => undefined); // a server that is gone already says so by its exit
    return new Promise((resolve, reject) => {
      child.once('spawn', () => {
        log.info(`The server runs as process ${child.pid ?? 0}, from ${program.origin}: ${program.command}`);
        resolve(child);
      });
      child.once('error', reject);
    });
  }

  /** Something is wrong. How the process ended says more about it, when it does. */
  #suspect(reason: string): void {
    setTimeout(() => {
      this.#ended(reason);
    }, EXIT_PATIENCE);
  }

  #ended(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#process?.kill();
    this.options.onEnded(reason);
  }
}

/** A language client that only logs and raises no pop-up, and leaves the names of the server's commands to us. */
class QuietClient extends LanguageClient {
  constructor(
    private readonly log: vscode.LogOutputChannel,
    serverOptions: ServerOptions,
    clientOptions: LanguageClientOptions,
  ) {
    super('quotaline', 'Quotaline', serverOptions, clientOptions);
  }

  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const method = 'registrationType' in feature ? feature.registrationType.method : undefined;
    if (method !== ExecuteCommandRequest.method) super.registerFeature(feature);
  }

  override error(message: string, data?: unknown): void {
    this.log.error(told(message, data));
  }

  override warn(message: string, data?: unknown): void {
    this.log.warn(told(message, data));
  }

  override info(message: string, data?: unknown): void {
    this.log.info(told(message, data));
  }

  override debug(message: string, data?: unknown): void {
    this.log.debug(told(message, data));
  }
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('it does not answer'));
    }, milliseconds);
  });
  await Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

function told(message: string, data: unknown): string {
  return data instanceof Error ? `${message} ${data.message}` : message;
}

/** Tells the server that we place its status line ourselves. */
class UsageCapability implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const others = (capabilities.experimental ?? {}) as object;
    capabilities.experimental = { ...others, quotaline: { usage: true } };
  }

  initialize(): void {
    // Nothing depends on the server's answer.
  }

  getState(): FeatureState {
    return { kind: 'static' };
  }

  clear(): void {
    // Nothing is kept.
  }
}

/** Messages are never traced: one of them carries a credential. */
const ignore = (): void => undefined;
const SILENT = {
  name: 'Quotaline trace',
  append: ignore,
  appendLine: ignore,
  replace: ignore,
  clear: ignore,
  show: ignore,
  hide: ignore,
  dispose: ignore,
} as object as vscode.OutputChannel;
