--- `:Quotaline` and what can follow it, with completion. Which providers there are is the server's to say.
local log = require("quotaline.log")
local say = require("quotaline.say")
local session = require("quotaline.session")
local state = require("quotaline.state")
local text = require("quotaline.text")

local M = {}

---@class quotaline.Choice
---@field id string
---@field name string
---@field shown boolean
---@field sign_in boolean

---@type quotaline.Choice[]|nil What the server told last of every provider there is.
local known

local COMPLETION_MS = 1500

--- The providers that are shown now, each once.
---@return quotaline.Choice[]
local function shown()
  local choices, seen = {}, {}
  local usage = state.get().usage
  for _, provider in ipairs(usage and usage.providers or {}) do
    if not seen[provider.id] then
      seen[provider.id] = true
      choices[#choices + 1] = { id = provider.id, name = provider.name, shown = true, sign_in = true }
    end
  end
  return choices
end

---@param result any The answer of `quotaline/providers`
---@return quotaline.Choice[]|nil
local function listed(result)
  local choices = {}
  for _, item in ipairs(type(result) == "table" and type(result.providers) == "table" and result.providers or {}) do
    if type(item) == "table" and type(item.id) == "string" then
      choices[#choices + 1] = {
        id = item.id,
        name = type(item.name) == "string" and text.clean(item.name) or item.id,
        shown = item.shown == true,
        sign_in = item.signIn == true,
      }
    end
  end
  return #choices > 0 and choices or nil
end

--- Every provider there is; those that are shown when the server does not tell.
---@param callback fun(choices: quotaline.Choice[])
local function every(callback)
  session.request("quotaline/providers", vim.empty_dict(), function(_, result)
    known = listed(result) or known
    callback(known or shown())
  end)
end

--- The same for completion, which cannot wait long.
---@return quotaline.Choice[]
local function every_now()
  local found
  if session.client() then
    every(function(choices)
      found = choices
    end)
    vim.wait(COMPLETION_MS, function()
      return found ~= nil
    end, 10)
  end
  return found or known or shown()
end

---@param problem string|nil
---@return boolean told
local function told(problem)
  if problem then
    say.problem(problem)
  end
  return problem ~= nil
end

--- What a command of the server answered, in its own words.
local function tell(problem, result)
  if not told(problem) and type(result) == "table" and type(result.message) == "string" then
    say.now(result.message, result.ok == false and vim.log.levels.WARN or nil)
  end
end

--- Go on with the given id, or with the one that is chosen.
---@param id string|nil
---@param question string
---@param list fun(callback: fun(choices: quotaline.Choice[]))
---@param callback fun(id: string, name: string)
local function with_one(id, question, list, callback)
  if id then
    callback(id, id)
    return
  end
  list(function(choices)
    if #choices == 0 then
      say.now("no providers are known.", vim.log.levels.WARN)
      return
    end
    local options = {
      prompt = question,
      format_item = function(choice)
        return ("%s (%s)"):format(choice.name, choice.id)
      end,
    }
    vim.ui.select(choices, options, function(choice)
      if choice then
        callback(choice.id, choice.name)
      end
    end)
  end)
end

local function shown_later(callback)
  callback(shown())
end

local function hidden_later(callback)
  every(function(choices)
    callback(vim.tbl_filter(function(choice)
      return not choice.shown
    end, choices))
  end)
end

local function sign_in_later(callback)
  every(function(choices)
    callback(vim.tbl_filter(function(choice)
      return choice.sign_in
    end, choices))
  end)
end

local function refresh(ids)
  session.execute("refresh", ids, function(problem, result)
    if told(problem) then
      return
    end
    local outcomes = type(result) == "table" and type(result.outcomes) == "table" and result.outcomes or {}
    local failed = {}
    for _, outcome in ipairs(outcomes) do
      if outcome.ok == false and type(outcome.message) == "string" then
        failed[#failed + 1] = ("%s: %s"):format(outcome.id, outcome.message)
      end
    end
    if #failed > 0 then
      say.now(table.concat(failed, "\n"), vim.log.levels.WARN)
    else
      say.now(#outcomes == 1 and "1 provider is up to date." or ("%d providers are up to date."):format(#outcomes))
    end
  end)
end

--- Ask for a key without showing it. It goes to the server, which keeps it in the system's keyring, and nowhere else.
local function set_key(arguments)
  with_one(arguments[1], "Set the key of", every, function(id, name)
    vim.fn.inputsave()
    local ok, value = pcall(vim.fn.inputsecret, ("Key or cookie header of %s: "):format(name))
    vim.fn.inputrestore()
    vim.cmd.redraw()
    if not ok or value == "" then
      return
    end
    local call = { id = id, value = value, label = arguments[2] }
    session.execute("setCredential", { call }, tell, { secret = true })
  end)
end

local function show_log()
  local lines = log.entries()
  local file = require("quotaline.lsp").log_file()
  vim.list_extend(lines, { "", "What the server writes to standard error is in Neovim's own log:", file })
  vim.cmd("botright new")
  local buffer = vim.api.nvim_get_current_buf()
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].buftype = "nofile"
  vim.bo[buffer].bufhidden = "wipe"
  vim.bo[buffer].swapfile = false
  vim.bo[buffer].modifiable = false
  vim.keymap.set("n", "q", vim.cmd.close, { buffer = buffer, nowait = true, desc = "Close the log" })
end

---@class quotaline.Subcommand
---@field run fun(arguments: string[])
---@field complete nil|fun(): quotaline.Choice[] What can stand as an argument.
---@field several boolean|nil More than one may stand there.
---@field purpose string

--- A command of the server that takes one provider.
local function for_one(name, question, list, complete, purpose)
  return {
    purpose = purpose,
    complete = complete,
    run = function(arguments)
      with_one(arguments[1], question, list, function(id)
        session.execute(name, { id }, tell)
      end)
    end,
  }
end

---@type table<string, quotaline.Subcommand>
M.subcommands = {
  show = {
    purpose = "Show all providers, or one at length",
    complete = shown,
    run = function(arguments)
      require("quotaline").open(arguments[1])
    end,
  },
  refresh = {
    purpose = "Read all shown providers now, or those named",
    complete = shown,
    several = true,
    run = refresh,
  },
  report = {
    purpose = "Show the report of all providers",
    run = function()
      session.execute("showReport", {}, told)
    end,
  },
  signin = for_one("signIn", "Sign in to", sign_in_later, every_now, "Sign in to a provider"),
  setkey = { purpose = "Keep a key or cookie header of a provider", complete = every_now, run = set_key },
  enable = for_one("enable", "Always show", hidden_later, every_now, "Always show a provider"),
  disable = for_one("disable", "No longer show", shown_later, shown, "No longer show a provider"),
  dashboard = for_one("openDashboard", "Open the dashboard of", shown_later, every_now, "Open a provider's dashboard"),
  config = {
    purpose = "Open the config file",
    run = function()
      session.execute("openConfig", {}, told)
    end,
  },
  log = { purpose = "Show what happened to the server", run = show_log },
  restart = {
    purpose = "Restart the server",
    run = function()
      session.restart()
    end,
  },
}

---@param name string
---@param arguments string[]
function M.run(name, arguments)
  local subcommand = M.subcommands[name]
  if not subcommand then
    local names = vim.tbl_keys(M.subcommands)
    table.sort(names)
    say.problem(("there is no `%s`; there are %s."):format(name, table.concat(names, ", ")))
    return
  end
  subcommand.run(arguments)
end

--- The user command itself.
---@param call { fargs: string[] }
function M.execute(call)
  require("quotaline").ensure()
  local words = vim.list_slice(call.fargs)
  local name = table.remove(words, 1)
  M.run(name or "show", words)
end

local function starting_with(words, start)
  local found = vim.tbl_filter(function(word)
    return vim.startswith(word, start)
  end, words)
  table.sort(found)
  return found
end

---@param start string What is typed of the word.
---@param line string The whole command line.
---@param cursor integer
---@return string[]
function M.complete(start, line, cursor)
  local before = vim.split(line:sub(1, cursor - #start), "%s+", { trimempty = true })
  while before[1] and not before[1]:match("Q[a-z]*$") do
    table.remove(before, 1)
  end
  if #before <= 1 then
    return starting_with(vim.tbl_keys(M.subcommands), start)
  end
  local subcommand = M.subcommands[before[2]]
  if not subcommand or not subcommand.complete or (#before > 2 and not subcommand.several) then
    return {}
  end
  require("quotaline").ensure()
  local ids = {}
  for _, choice in ipairs(subcommand.complete()) do
    if not vim.list_contains(before, choice.id) then
      ids[#ids + 1] = choice.id
    end
  end
  return starting_with(ids, start)
end

return M
