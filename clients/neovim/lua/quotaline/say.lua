--- Messages to the user: plain, and those of the background only once.
local clean = require("quotaline.text")

local M = {}

---@type table<string, boolean>
local said = {}

---@param text string
---@param level integer|nil One of `vim.log.levels`, INFO when absent.
function M.now(text, level)
  vim.notify(
    "Quotaline: " .. table.concat(clean.lines(text), "\n"),
    level or vim.log.levels.INFO,
    { title = "Quotaline" }
  )
end

--- The same, but only once for each `key` as long as Neovim lives.
---@param key string
---@param text string
---@param level integer|nil
function M.once(key, text, level)
  if not said[key] then
    said[key] = true
    M.now(text, level)
  end
end

---@param text string
function M.problem(text)
  M.now(text, vim.log.levels.ERROR)
end

return M
