// The built component, run outside Zed: Node plays Zed's part of the extension API.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

const FOLDER = new URL("./component/", import.meta.url);
const SERVER = "quotaline";

/** A project in Zed: its settings, its shell's variables, its PATH, and the system of its machine. */
class Worktree {
  constructor({ lsp = {}, env = { HOME: "/home/ada" }, programs = {}, os = "linux" } = {}) {
    Object.assign(this, { lsp, env, programs, os });
  }
  id() {
    return 7n;
  }
  rootPath() {
    return "/project";
  }
  shellEnv() {
    return Object.entries(this.env);
  }
  which(name) {
    return this.programs[name];
  }
}

/** The extension as Zed would have it, with `worktree`'s settings behind `get-settings`. */
async function extension(worktree) {
  const { instantiate } = await import(new URL("quotaline_zed.js", FOLDER));
  const settings = (location, category, key) => {
    assert.equal(location.worktreeId, worktree.id());
    assert.deepEqual([category, key], ["lsp", SERVER]);
    return JSON.stringify(worktree.lsp);
  };
  const refuse = () => assert.fail("the extension may not call this");
  const root = await instantiate(
    async (name) => WebAssembly.compile(await readFile(new URL(name, FOLDER))),
    {
      ...new WASIShim().getImportObject(),
      "get-settings": { default: settings },
      "zed:extension/platform": { currentPlatform: () => [worktree.os, "x8664"] },
      worktree: { default: Worktree },
      project: { default: class Project {} },
      "key-value-store": { default: class KeyValueStore {} },
      "download-file": { default: refuse },
      "make-file-executable": { default: refuse },
      "set-language-server-installation-status": { default: refuse },
    },
  );
  root.initExtension();
  return root;
}

const environment = (pairs) => Object.fromEntries(pairs);

test("the program on the project's PATH is started", async () => {
  const worktree = new Worktree({ programs: { quotaline: "/opt/bin/quotaline" } });
  const command = (await extension(worktree)).languageServerCommand(SERVER, worktree);
  assert.equal(command.command, "/opt/bin/quotaline");
  assert.deepEqual(command.args, ["serve"]);
  assert.deepEqual(environment(command.env), { HOME: "/home/ada" });
});

test("the program of the settings wins", async () => {
  const binary = { path: "~/q", arguments: ["serve", "--verbose"], env: { LANG: "C" } };
  const worktree = new Worktree({ lsp: { binary }, programs: { quotaline: "/opt/bin/quotaline" } });
  const command = (await extension(worktree)).languageServerCommand(SERVER, worktree);
  assert.equal(command.command, "/home/ada/q");
  assert.deepEqual(command.args, ["serve", "--verbose"]);
  assert.deepEqual(environment(command.env), { HOME: "/home/ada", LANG: "C" });
});

test("the home folder is that of the project's system", async () => {
  const binary = { path: "~\\bin\\quotaline.exe" };
  const env = { UserProfile: "C:\\Users\\ada" };
  const worktree = new Worktree({ lsp: { binary }, env, os: "windows" });
  const command = (await extension(worktree)).languageServerCommand(SERVER, worktree);
  assert.equal(command.command, "C:\\Users\\ada\\bin\\quotaline.exe");
});

test("a missing program is an error that says how to install it", async () => {
  const worktree = new Worktree();
  const quotaline = await extension(worktree);
  assert.throws(
    () => quotaline.languageServerCommand(SERVER, worktree),
    (error) => error.payload.includes("Install it with `uv tool install "),
  );
});

test("settings reach the sidecar at its start and after a change", async () => {
  const worktree = new Worktree({ lsp: { settings: { statusLine: { percent: "left" } } } });
  const quotaline = await extension(worktree);
  const expected = { quotaline: { statusLine: { percent: "left" } } };
  assert.deepEqual(JSON.parse(quotaline.languageServerInitializationOptions(SERVER, worktree)), expected);
  worktree.lsp = { settings: { statusLine: { percent: "used" } } };
  expected.quotaline.statusLine.percent = "used";
  assert.deepEqual(JSON.parse(quotaline.languageServerWorkspaceConfiguration(SERVER, worktree)), expected);
});

test("without settings the sidecar gets an empty section", async () => {
  const worktree = new Worktree();
  const options = (await extension(worktree)).languageServerInitializationOptions(SERVER, worktree);
  assert.deepEqual(JSON.parse(options), { quotaline: {} });
});
