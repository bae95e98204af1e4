--- The only file that touches `vim.lsp`: starts one server, speaks with it, and attaches it to single buffers.
--- Differences between Neovim 0.10 and later end here.
local M = {}

local modern = vim.fn.has("nvim-0.11") == 1

---@class quotaline.lsp.Options
---@field cmd string[]
---@field env table<string, string>|nil
---@field settings table
---@field ready fun(client: vim.lsp.Client, version: string|nil) The server answered.
---@field ended fun(code: integer, signal: integer) Its process is gone.
---@field garbled fun(what: string) It sent something that is no message.
---@field usage fun(params: quotaline.wire.UsageParams) `quotaline/didChangeUsage`
---@field restart_due fun(params: quotaline.wire.RestartDueParams) `quotaline/restartDue`
---@field said fun(text: string, level: integer, shown: boolean) `window/showMessage` and `window/logMessage`
---@field show fun(uri: string, external: boolean): boolean `window/showDocument`

local levels = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.DEBUG }

--- An empty Lua table would become a JSON list.
local function object(settings)
  local result = next(settings) and vim.deepcopy(settings) or vim.empty_dict()
  if type(result.statusLine) == "table" and next(result.statusLine) == nil then
    result.statusLine = vim.empty_dict()
  end
  return result
end

---@param options quotaline.lsp.Options
local function handlers(options)
  local function said(shown)
    return function(_, params)
      if type(params) == "table" and type(params.message) == "string" then
        options.said(params.message, levels[params.type] or vim.log.levels.INFO, shown)
      end
      return vim.NIL
    end
  end
  return {
    ["quotaline/didChangeUsage"] = function(_, params)
      options.usage(params)
    end,
    ["quotaline/restartDue"] = function(_, params)
      options.restart_due(params)
    end,
    ["window/showMessage"] = said(true),
    ["window/logMessage"] = said(false),
    ["window/showDocument"] = function(_, params)
      return { success = options.show(params.uri, params.external == true) }
    end,
  }
end

--- The user's variables as they replace Neovim's own: Windows knows `Path` and `PATH` as one variable, and Neovim has
--- all names in capitals there.
---@param env table<string, string>|nil
---@return table<string, string>|nil
function M.environment(env)
  if env == nil or vim.fn.has("win32") == 0 then
    return env
  end
  local result = {}
  for name, value in pairs(env) do
    result[name:upper()] = value
  end
  return result
end

--- Start a server that is attached to no buffer.
---@param options quotaline.lsp.Options
---@return fun()|nil kill Ends the process, also before the server answered.
---@return string|nil problem What went wrong.
function M.start(options)
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.experimental = { quotaline = { usage = true } }

  local env = M.environment(options.env)
  -- A command as a function lets us hear of the end, and of what is no message, before Neovim makes a pop-up of it.
  local rpc
  local function run(dispatchers)
    local own = vim.tbl_extend("force", dispatchers, {
      on_exit = function(code, signal)
        vim.schedule(function()
          options.ended(code, signal)
        end)
        dispatchers.on_exit(0, 0)
      end,
      on_error = function(code)
        vim.schedule(function()
          options.garbled(vim.lsp.rpc.client_errors[code] or tostring(code))
        end)
      end,
    })
    rpc = vim.lsp.rpc.start(options.cmd, own, { env = env })
    return rpc
  end

  local config = {
    name = "quotaline",
    cmd = run,
    capabilities = capabilities,
    init_options = { quotaline = object(options.settings) },
    handlers = handlers(options),
    on_init = function(client, result)
      local info = type(result) == "table" and result.serverInfo
      options.ready(client, type(info) == "table" and info.version or nil)
    end,
  }
  local ok, id, problem
  if modern then
    ok, id = pcall(vim.lsp.start, config, {
      attach = false,
      silent = true,
      reuse_client = function()
        return false
      end,
    })
  else
    ok, id, problem = pcall(vim.lsp.start_client, config)
  end
  if not ok or id == nil then
    return nil, tostring(problem or (not ok and id) or "the program could not be started")
  end
  return function()
    if not rpc.is_closing() then
      rpc.terminate()
    end
  end
end

---@param client vim.lsp.Client
function M.stop(client)
  if modern then
    client:stop()
  else
    client.stop()
  end
end

---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  if modern then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param callback fun(problem: string|nil, result: any)
---@return boolean sent
function M.request(client, method, params, callback)
  local function answered(err, result)
    if err then
      callback(type(err) == "table" and err.message or tostring(err))
    else
      callback(nil, result)
    end
  end
  if modern then
    return (client:request(method, params, answered))
  end
  return (client.request(method, params, answered))
end

--- A request whose parameters are a secret: Neovim's own log of messages does not get them, at any level.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param callback fun(problem: string|nil, result: any)
---@return boolean sent
function M.request_secretly(client, method, params, callback)
  local log = vim.lsp.log
  local level = log.get_level()
  log.set_level(vim.log.levels.OFF)
  local ok, sent = pcall(M.request, client, method, params, callback)
  log.set_level(level)
  return ok and sent
end

---@param client vim.lsp.Client
---@param settings table
function M.configure(client, settings)
  M.notify(client, "workspace/didChangeConfiguration", { settings = { quotaline = object(settings) } })
end

--- Give one buffer the server's language features.
---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  if vim.lsp.buf_is_attached(buffer, client.id) or not vim.lsp.buf_attach_client(buffer, client.id) then
    return
  end
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
  end
  M.redecorate(buffer)
end

--- Ask again for the code lenses and inlay hints of an attached buffer: they show numbers.
---@param buffer integer
function M.redecorate(buffer)
  if not vim.lsp.codelens.enable then
    vim.lsp.codelens.refresh({ bufnr = buffer })
  end
  vim.lsp.inlay_hint.enable(false, { bufnr = buffer })
  vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
end

--- The file in which Neovim keeps what servers write to standard error.
---@return string
function M.log_file()
  return vim.lsp.log.get_filename()
end

---@param uri string
---@return string path
function M.path(uri)
  -- A `$` in the path is a letter of it, not the beginning of a variable.
  return vim.fs.normalize(vim.uri_to_fname(uri), { expand_env = false })
end

return M
