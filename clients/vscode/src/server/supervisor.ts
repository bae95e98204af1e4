/** Keeps one server running: finds it, starts it, starts it again when it ends, and tells the state how it is. */

import * as os from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { DID_INTERACT, readRestartDue, readUsage } from '../protocol';
import { warn } from '../say';
import { proxySetting, serverPlaces, serverSettings } from '../settings';
import type { State } from '../state';
import { notification } from '../text';
import { Backoff } from './backoff';
import type { Connection } from './connection';
import { findServer, type Program } from './finding';
import { Machine } from './machine';
import { InstallError, type OwnServer } from './ownServer';

const INSTALL_TIMEOUT = 15 * 60_000;

export class Supervisor implements vscode.Disposable {
  readonly #backoff = new Backoff();
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Counts starts, so that what belongs to an earlier one is known to be late. */
  #run = 0;
  #installing: Promise<void> | undefined;

  constructor(
    private readonly state: State,
    private readonly own: OwnServer,
    private readonly log: vscode.LogOutputChannel,
    private readonly settingKeys: readonly string[],
  ) {}

  /** The server, when it can be asked. */
  get connection(): Connection | undefined {
    return this.state.server.kind === 'running' ? this.#connection : undefined;
  }

  /** Find and start the server. Never rejects: the state tells what became of it. */
  async start(): Promise<void> {
    const run = await this.#clear();
    this.state.serverIs({ kind: 'starting' });
    try {
      await this.#upgrade();
      if (run !== this.#run) return;
      this.state.serverIs({ kind: 'starting' });
      const { serverPath } = serverPlaces();
      const found = await findServer({ serverPath, environ: process.env, own: () => this.own.program() });
      if (run !== this.#run) return;
      if (found.kind === 'found') await this.#launch(found.program, run);
      else if (found.kind === 'wrongPath') {
        this.state.serverIs({
          kind: 'missing',
          lack: 'wrongPath',
          detail: found.problem,
        });
      } else {
        this.log.info(`No quotaline on the PATH: ${process.env['PATH'] ?? ''}`);
        this.state.serverIs({ kind: 'missing', lack: 'notInstalled', detail: '' });
      }
    } catch (error) {
      this.#failed(run, String(error), 0);
    }
  }

  async restart(): Promise<void> {
    this.#backoff.reset();
    await this.start();
  }

  /** Make our own installation (again), with progress, and start it. */
  async install(): Promise<void> {
    if ((await this.#install('Installing Quotaline')) === undefined) await this.restart();
  }

  /** The settings have changed. */
  settingsChanged(): void {
    this.connection?.notify('workspace/didChangeConfiguration', {
      settings: { quotaline: serverSettings(this.settingKeys) },
    });
  }

  /** The user looked. */
  interacted(): void {
    this.connection?.notify(DID_INTERACT, {});
  }

  dispose(): void {
    void this.#clear();
  }

  async #clear(): Promise<number> {
    clearTimeout(this.#timer);
    const run = ++this.#run;
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
    return run;
  }

  async #launch(program: Program, run: number): Promise<void> {
    const started = Date.now();
    const settings = serverSettings(this.settingKeys);
    // Loaded only now: the start of the editor does not wait for a language client.
    const { Connection } = await import('./connection.js');
    const connection = new Connection({
      program,
      environ: environment(),
      cwd: os.homedir(),
      settings,
      log: this.log,
      onUsage: (params) => {
        if (run === this.#run) this.#took(params);
      },
      onRestartDue: (params) => {
        if (run === this.#run) void this.#offerRestart(readRestartDue(params), run);
      },
      onEnded: (reason) => {
        this.#failed(run, reason, Date.now() - started);
      },
    });
    this.#connection = connection;
    const open = await connection.open();
    if (!open || run !== this.#run || this.state.server.kind !== 'starting') return;
    this.state.serverIs({ kind: 'running' });
    if (!isDeepStrictEqual(settings, serverSettings(this.settingKeys))) this.settingsChanged(); // while it started
  }

  #took(params: unknown): void {
    const reading = readUsage(params);
    if (reading.kind === 'usage') this.state.usageIs(reading.usage);
    else if (this.state.server.kind !== 'otherVersion') {
      this.log.error(`The server speaks version ${reading.version} of the protocol.`);
      this.state.serverIs({ kind: 'otherVersion', version: reading.version });
    }
  }

  /** The server goes on only when it is started again; the user says when. */
  async #offerRestart(reason: string, run: number): Promise<void> {
    this.log.warn(`A restart is due: ${reason}`);
    const chosen = await warn(`Quotaline: ${reason}`, 'Restart');
    if (chosen !== undefined && run === this.#run) await this.restart();
  }

  #failed(run: number, reason: string, ranFor: number): void {
    if (run !== this.#run) return;
    const late = ++this.#run;
    this.#connection = undefined;
    const { delay, failures } = this.#backoff.failed(ranFor);
    this.log.error(`The server ended (${reason}); it is started again in ${delay / 1000} s.`);
    this.state.serverIs({ kind: 'ended', reason, failures, retryAt: Date.now() + delay });
    this.#timer = setTimeout(() => {
      if (late === this.#run) void this.start();
    }, delay);
  }

  /** Bring an installation of ours to this extension's version; the one before serves where that fails. */
  async #upgrade(): Promise<void> {
    if (serverPlaces().serverPath !== '' || !(await this.own.isOutdated())) return;
    const found = await findServer({
      serverPath: '',
      environ: process.env,
      own: () => Promise.resolve(undefined),
    });
    if (found.kind === 'none') await this.#install('Updating Quotaline');
  }

  /** The error, if there was one; it is in the state, too. */
  async #install(title: string): Promise<InstallError | undefined> {
    let problem: InstallError | undefined;
    this.#installing ??= this.#installWithProgress(title).finally(() => {
      this.#installing = undefined;
    });
    try {
      await this.#installing;
    } catch (error) {
      problem = error instanceof InstallError ? error : new InstallError('installFailed', String(error));
      this.log.error(`The installation failed: ${problem.message}`);
      this.state.serverIs({ kind: 'missing', lack: problem.lack, detail: problem.message });
    }
    return problem;
  }

  async #installWithProgress(title: string): Promise<void> {
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    await vscode.window.withProgress(options, async (progress, token) => {
      const stop = new AbortController();
      const timer = setTimeout(() => {
        stop.abort();
      }, INSTALL_TIMEOUT);
      token.onCancellationRequested(() => {
        stop.abort();
      });
      try {
        await this.own.install({
          pythonPath: serverPlaces().pythonPath,
          environ: environment(),
          signal: stop.signal,
          onStep: (step) => {
            progress.report({ message: notification(step) });
            this.state.serverIs({ kind: 'installing', step });
          },
          onLine: (line) => {
            this.log.info(line);
          },
        });
      } finally {
        clearTimeout(timer);
      }
    });
  }
}

/** The editor's environment, as a program outside the editor should have it. */
function environment(): NodeJS.ProcessEnv {
  const machine = new Machine();
  const environ = machine.without(process.env, ['ELECTRON_RUN_AS_NODE']);
  const proxy = proxySetting();
  const has = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) =>
    machine.variable(environ, name),
  );
  return proxy === undefined || has ? environ : { ...environ, HTTPS_PROXY: proxy };
}
