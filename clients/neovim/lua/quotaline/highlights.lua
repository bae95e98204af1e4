--- Highlight groups. Each links to a group that every colour scheme has; a user's own definition wins.
local M = {}

---@type table<string, string>
M.links = {
  QuotalineOk = "DiagnosticOk",
  QuotalineWarning = "DiagnosticWarn",
  QuotalineCritical = "DiagnosticError",
  QuotalineStale = "DiagnosticHint",
  QuotalineError = "DiagnosticError",
  QuotalineEmpty = "DiagnosticHint",
  QuotalineTitle = "Title",
  QuotalineBar = "DiagnosticInfo",
  QuotalineStrong = "Bold",
  QuotalineLink = "Underlined",
  QuotalineMuted = "Comment",
  QuotalineProblem = "DiagnosticWarn",
}

local by_severity = {
  ok = "QuotalineOk",
  warning = "QuotalineWarning",
  critical = "QuotalineCritical",
  stale = "QuotalineStale",
  error = "QuotalineError",
  empty = "QuotalineEmpty",
}

--- The group of a severity. One that this version does not know is drawn as empty.
---@param severity any
---@return string
function M.of(severity)
  return by_severity[severity] or by_severity.empty
end

--- The colour of a group's text as "#rrggbb", for plug-ins that mix their own groups.
---@param group string
---@return string|nil
function M.colour(group)
  local found = vim.api.nvim_get_hl(0, { name = group, link = false })
  return found.fg and ("#%06x"):format(found.fg) or nil
end

function M.define()
  vim.api.nvim_set_hl(0, "Bold", { bold = true, default = true })
  for group, target in pairs(M.links) do
    vim.api.nvim_set_hl(0, group, { link = target, default = true })
  end
end

return M
