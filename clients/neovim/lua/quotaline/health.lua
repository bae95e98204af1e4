--- `:checkhealth quotaline`: what is there, what is missing, and what to do about it.
local M = {}

local ANSWER_MS = 5000

local function advice()
  return {
    "Install the program " .. require("quotaline.install").way() .. ".",
    "Or name it: `require('quotaline').setup({ cmd = { '/path/to/quotaline', 'serve' } })`.",
  }
end

--- What `quotaline --version` says, or why it does not.
---@param program string
---@return string|nil version
---@return string|nil problem
local function asked(program)
  local ok, process = pcall(vim.system, { program, "--version" }, { text = true, timeout = ANSWER_MS })
  if not ok then
    return nil, tostring(process)
  end
  local result = process:wait()
  if result.code == 0 then
    return vim.trim(result.stdout or "")
  end
  local last = vim.trim(result.stderr or ""):match("[^\n]*$")
  return nil, last ~= "" and last or ("exit code %d"):format(result.code)
end

local function check_program(config)
  vim.health.start("Quotaline: the program")
  local cmd, missing = require("quotaline.session").command(config)
  if not cmd then
    vim.health.error(missing or "It was not found.", advice())
    return
  end
  vim.health.ok(("`%s` is found."):format(table.concat(cmd, " ")))
  if config.cmd then
    vim.health.info("The command comes from your options.")
    return
  end
  local version, problem = asked(cmd[1])
  if version then
    vim.health.ok(version)
  else
    vim.health.error("It cannot be run: " .. problem, advice())
  end
end

local function check_server()
  vim.health.start("Quotaline: the server")
  local status, now = require("quotaline.session").status(), require("quotaline.state").get()
  local phases = {
    off = { vim.health.warn, "It was not started. `:Quotaline` starts it." },
    missing = { vim.health.error, "It cannot be started." },
    starting = { vim.health.warn, "It was started and has not told anything yet." },
    ready = { vim.health.ok, ("It answers, version %s."):format(status.version or "unknown") },
    restarting = { vim.health.warn, "It stopped and is started again." },
    failed = { vim.health.error, "It stopped too often." },
    strange = { vim.health.error, "It cannot be understood." },
  }
  local tell, text = phases[now.phase][1], phases[now.phase][2]
  tell(text, now.problem and { now.problem, "`:Quotaline log` tells more." } or nil)
  if status.failures > 0 then
    vim.health.info(("It was started again %d times."):format(status.failures))
  end
  vim.health.info("What it writes to standard error: " .. require("quotaline.lsp").log_file())
end

local function check_providers()
  vim.health.start("Quotaline: the providers")
  local usage = require("quotaline.state").get().usage
  if not usage then
    vim.health.info("Nothing is known yet.")
    return
  end
  if #usage.providers == 0 then
    vim.health.warn("No provider is shown.", { "`:Quotaline signin` and `:Quotaline setkey` connect one." })
  end
  for _, provider in ipairs(usage.providers) do
    local tell = provider.severity == "error" and vim.health.warn or vim.health.ok
    tell(provider.text)
  end
  local path = require("quotaline.documents").config_path()
  if path then
    vim.health.info("Config file: " .. path)
  end
end

function M.check()
  local quotaline = require("quotaline")
  vim.health.start("Quotaline: Neovim")
  if vim.fn.has("nvim-0.10") == 1 then
    vim.health.ok(tostring(vim.version()))
  else
    vim.health.error("Neovim 0.10 or newer is needed.")
    return
  end
  check_program(quotaline.config())
  check_server()
  check_providers()
end

return M
