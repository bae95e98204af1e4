--- What is known now: the usage the server pushed last, and how the server is. Tells its one listener of each change.
local text = require("quotaline.text")

local M = {}

M.VERSION = 1

---@class quotaline.Provider
---@field id string
---@field name string
---@field text string One provider's part of a status line.
---@field severity string
---@field hover string Markdown.
---@field account string|nil
---@field plan string|nil
---@field dashboard string|nil

---@class quotaline.Usage
---@field text string
---@field severity string
---@field hover string Markdown.
---@field providers quotaline.Provider[]

---@alias quotaline.Phase
---| "off" Not started.
---| "missing" The program is not there.
---| "starting" Waiting for the server.
---| "ready" The server answers.
---| "restarting" The server stopped and is started again.
---| "failed" It stopped too often.
---| "strange" It speaks a version that is not known here.

---@class quotaline.State
---@field phase quotaline.Phase
---@field problem string|nil A sentence for the user.
---@field usage quotaline.Usage|nil

---@type quotaline.State
local state = { phase = "off" }
---@type fun()
local listener = function() end

local function word(value)
  local clean = text.clean(value)
  return clean ~= "" and clean or nil
end

local function markdown(value)
  return type(value) == "table" and type(value.value) == "string" and value.value or ""
end

local function list(value)
  return type(value) == "table" and vim.islist(value) and value or {}
end

---@param value quotaline.wire.ProviderState As it came: every member may be anything.
---@return quotaline.Provider|nil
local function provider(value)
  if type(value) ~= "table" or not word(value.id) then
    return nil
  end
  return {
    id = word(value.id),
    name = word(value.name) or word(value.id),
    text = word(value.text) or word(value.name) or word(value.id),
    severity = word(value.severity) or "empty",
    hover = markdown(value.hover),
    account = word(value.account),
    plan = word(value.plan),
    dashboard = word(value.dashboardUrl),
  }
end

--- The parameters of `quotaline/didChangeUsage` as a usage, or what is wrong with them. Unknown fields are left alone.
---@param params quotaline.wire.UsageParams As it came: every member may be anything.
---@return quotaline.Usage|nil
---@return string|nil problem
function M.read(params)
  if type(params) ~= "table" then
    return nil, "The server sent something that cannot be read."
  end
  if params.version ~= M.VERSION then
    local version = type(params.version) == "number" and ("version %d"):format(params.version) or "no known version"
    local both = "The server speaks %s of the protocol, and this plug-in version %d. Bring both up to date."
    return nil, both:format(version, M.VERSION)
  end
  local line = type(params.statusLine) == "table" and params.statusLine or {}
  local providers = {}
  for _, item in ipairs(list(params.providers)) do
    providers[#providers + 1] = provider(item)
  end
  return {
    text = text.clean(line.text),
    severity = word(line.severity) or "empty",
    hover = markdown(line.hover),
    providers = providers,
  }
end

--- Set some fields; `vim.NIL` takes one away. The listener hears of it when anything is different.
---@param changes table
function M.set(changes)
  local before = vim.deepcopy(state)
  for name, value in pairs(changes) do
    if value == vim.NIL then
      state[name] = nil
    else
      state[name] = value
    end
  end
  if not vim.deep_equal(before, state) then
    listener()
  end
end

---@return quotaline.State A copy.
function M.get()
  return vim.deepcopy(state)
end

---@param callback fun()
function M.listen(callback)
  listener = callback
end

return M
