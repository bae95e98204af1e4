/** What the extension knows now: how the server is, and the usage it told last. Everything visible follows from it. */

import * as vscode from 'vscode';
import type { Usage } from './protocol';

export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'installing'; readonly step: string }
  /** It ended by itself; `retryAt` is when it is started again (milliseconds since 1970). */
  | { readonly kind: 'ended'; readonly reason: string; readonly failures: number; readonly retryAt: number }
  | { readonly kind: 'missing'; readonly lack: Lack; readonly detail: string }
  | { readonly kind: 'otherVersion'; readonly version: string };

/** Why there is no server to start. */
export type Lack = 'notInstalled' | 'wrongPath' | 'noPython' | 'installFailed';

export class State implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<State>();
  readonly onDidChange = this.#changed.event;
  #server: ServerState = { kind: 'starting' };
  #usage: Usage | undefined;

  get server(): ServerState {
    return this.#server;
  }

  /** The last usage that was told; it stays when the server ends. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  serverIs(server: ServerState): void {
    this.#server = server;
    this.#changed.fire(this);
  }

  usageIs(usage: Usage): void {
    this.#usage = usage;
    this.#changed.fire(this);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
