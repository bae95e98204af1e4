--- The one server of this Neovim: found, started, started again when it stops, ended with Neovim.
local log = require("quotaline.log")
local say = require("quotaline.say")
local state = require("quotaline.state")

local M = {}

local HEALTHY_MS = 60000
local LONGEST_DELAY_MS = 60000
local FAREWELL_MS = 3000

---@class quotaline.Session
---@field config quotaline.Config
---@field client vim.lsp.Client|nil
---@field kill fun()|nil Ends the process, also before it answered.
---@field version string|nil The server's version.
---@field process integer Counts the processes: what an older one still says is not heard.
---@field failures integer Starts in a row that did not last.
---@field started integer When the process was started, in ms.
---@field running boolean A process is there.
---@field wanted boolean A process should be there.
---@field waiting fun(client: vim.lsp.Client|nil)[]
---@field timer uv.uv_timer_t|nil Until the next start.
---@field patience uv.uv_timer_t|nil Until a silent server is told of.

---@type quotaline.Session
local session = {
  config = require("quotaline.config").defaults,
  process = 0,
  failures = 0,
  started = 0,
  running = false,
  wanted = false,
  waiting = {},
}

local now = function()
  return vim.uv.now()
end

--- The server's command, or nil with what is missing.
---@param config quotaline.Config
---@return string[]|nil
---@return string|nil problem
function M.command(config)
  if config.cmd then
    if require("quotaline.programs").can_start(config.cmd[1]) then
      return config.cmd
    end
    return nil, ("`%s` cannot be run."):format(config.cmd[1])
  end
  local program = vim.fn.exepath("quotaline")
  if program ~= "" then
    return { program, "serve" }
  end
  return nil, "The program `quotaline` was not found."
end

local function stop_timer()
  for _, name in ipairs({ "timer", "patience" }) do
    local timer = session[name]
    if timer and not timer:is_closing() then
      timer:stop()
      timer:close()
    end
    session[name] = nil
  end
end

local function answer_waiting(client)
  local waiting = session.waiting
  session.waiting = {}
  for _, callback in ipairs(waiting) do
    callback(client)
  end
end

---@param params any
local function take_usage(params)
  local usage, problem = state.read(params)
  if usage then
    state.set({ phase = "ready", usage = usage, problem = vim.NIL })
  else
    log.add(problem or "")
    state.set({ phase = "strange", usage = vim.NIL, problem = problem })
    say.once("strange", problem .. " :checkhealth quotaline", vim.log.levels.WARN)
  end
end

--- The server goes on only when it is started again; the user says when.
---@param params quotaline.wire.RestartDueParams As it came.
local function take_restart_due(params)
  local reason = type(params) == "table" and require("quotaline.text").clean(params.message) or ""
  log.add("a restart is due: " .. reason)
  say.now(("%s `:Quotaline restart` restarts the server."):format(reason), vim.log.levels.WARN)
end

local function take_message(text, level, shown)
  log.add(text)
  if shown then
    say.now(text, level)
  end
end

local function how_it_ended(code, signal)
  if signal ~= 0 then
    return ("was ended by signal %d"):format(signal)
  end
  return ("stopped with exit code %d"):format(code)
end

local function begin_again()
  session.failures = session.failures + 1
  if session.failures > session.config.restart.attempts then
    local problem = "The server stops again and again; `:Quotaline restart` tries once more."
    log.add(problem)
    state.set({ phase = "failed", problem = problem })
    say.once("failed", problem .. " :checkhealth quotaline", vim.log.levels.ERROR)
    answer_waiting(nil)
    return
  end
  local delay = math.min(session.config.restart.delay_ms * 2 ^ (session.failures - 1), LONGEST_DELAY_MS)
  log.add(("starting again in %.1f s"):format(delay / 1000))
  stop_timer()
  session.timer = vim.defer_fn(function()
    session.timer = nil
    M.start()
  end, delay)
end

local function take_end(code, signal)
  session.running = false
  session.client = nil
  if not session.wanted then
    return
  end
  local how = how_it_ended(code, signal)
  log.add("the server " .. how)
  if now() - session.started > HEALTHY_MS then
    session.failures = 0
  end
  state.set({ phase = "restarting", problem = ("The server %s and is started again."):format(how) })
  say.once("ended", ("the server %s and is started again."):format(how), vim.log.levels.WARN)
  begin_again()
end

--- Say honestly that nothing is heard of a server. When it does answer, that is forgotten.
---@param process integer
local function expect_answer(process)
  session.patience = vim.defer_fn(function()
    session.patience = nil
    if process == session.process and state.get().phase == "starting" then
      log.add("the server has not told anything yet")
      state.set({ problem = "The server does not answer." })
    end
  end, session.config.restart.answer_ms)
end

--- Start the server unless it runs.
function M.start()
  session.wanted = true
  if session.running then
    return
  end
  stop_timer()
  local cmd, missing = M.command(session.config)
  if not cmd then
    log.add(missing or "")
    state.set({ phase = "missing", problem = missing, usage = vim.NIL })
    say.once("missing", missing .. " :checkhealth quotaline tells how to install it.", vim.log.levels.WARN)
    answer_waiting(nil)
    return
  end
  session.process = session.process + 1
  session.running = true
  session.started = now()
  if state.get().phase ~= "restarting" then
    state.set({ phase = "starting", problem = vim.NIL })
  end
  log.add("starting " .. table.concat(cmd, " "))

  local process = session.process
  local function heard(callback)
    return function(...)
      if process == session.process then
        return callback(...)
      end
    end
  end
  local kill, problem = require("quotaline.lsp").start({
    cmd = cmd,
    env = session.config.env,
    settings = session.config.settings,
    ready = heard(function(client, version)
      session.client, session.version = client, version
      log.add("the server answers, version " .. (version or "unknown"))
      answer_waiting(client)
      require("quotaline.documents").ready()
    end),
    ended = heard(take_end),
    garbled = heard(function(what)
      log.add("the server sent what is no message: " .. what)
    end),
    usage = heard(take_usage),
    restart_due = heard(take_restart_due),
    said = heard(take_message),
    show = function(uri, external)
      return require("quotaline.documents").show(uri, external)
    end,
  })
  session.kill = kill
  expect_answer(process)
  if problem then
    log.add(problem)
    take_end(1, 0)
  end
end

--- End the server for good.
function M.stop()
  session.wanted = false
  stop_timer()
  if session.client then
    require("quotaline.lsp").stop(session.client)
  elseif session.running and session.kill then
    session.kill()
  end
  session.client = nil
  session.running = false
  session.process = session.process + 1
  state.set({ phase = "off", problem = vim.NIL })
end

--- End the server and start a new one, whatever happened before.
function M.restart()
  local kill = session.running and session.kill
  M.stop()
  session.failures = 0
  if kill then
    vim.defer_fn(kill, FAREWELL_MS)
  end
  state.set({ usage = vim.NIL })
  M.start()
end

--- Neovim is leaving: nothing is started any more. `vim.lsp` takes leave of the server, which also ends by itself.
function M.leave()
  session.wanted = false
  stop_timer()
end

---@param config quotaline.Config
function M.use(config)
  local before = session.config
  session.config = config
  if not session.running then
    return
  end
  if not vim.deep_equal({ before.cmd, before.env }, { config.cmd, config.env }) then
    M.restart()
  elseif session.client and not vim.deep_equal(before.settings, config.settings) then
    require("quotaline.lsp").configure(session.client, config.settings)
  end
end

---@return vim.lsp.Client|nil
function M.client()
  return session.client
end

--- How the server is, for `:checkhealth`.
function M.status()
  return {
    version = session.version,
    running = session.running,
    failures = session.failures,
    client = session.client and session.client.id,
  }
end

--- Call back with the server once it answers, or with nil when there is none. Starts it when it was not.
---@param callback fun(client: vim.lsp.Client|nil)
function M.when_ready(callback)
  if session.client then
    callback(session.client)
    return
  end
  table.insert(session.waiting, callback)
  if not session.timer or state.get().phase == "failed" then
    M.start()
  end
end

--- Tell the server that the user looked.
function M.looked()
  if session.client then
    require("quotaline.lsp").notify(session.client, "quotaline/didInteract", vim.empty_dict())
  end
end

--- Ask the server.
---@param method string
---@param params table
---@param callback fun(problem: string|nil, result: any)
---@param options { secret: boolean|nil }|nil
function M.request(method, params, callback, options)
  M.when_ready(function(client)
    local lsp = require("quotaline.lsp")
    local send = options and options.secret and lsp.request_secretly or lsp.request
    if not client then
      callback((state.get().problem or "The server does not run.") .. " See :checkhealth quotaline")
    elseif not send(client, method, params, callback) then
      callback("The server does not answer.")
    end
  end)
end

--- Have the server carry out one of its commands.
---@param name string Without the `quotaline.`
---@param arguments any[]
---@param callback fun(problem: string|nil, result: any)
---@param options { secret: boolean|nil }|nil
function M.execute(name, arguments, callback, options)
  local params = { command = "quotaline." .. name, arguments = arguments }
  M.request("workspace/executeCommand", params, callback, options)
end

return M
