--- How the program is installed: what health and the window say where it is missing.
local M = {}

--- The checkout that the plug-in is a folder of, if it is one.
---@return string|nil
local function checkout()
  local here = debug.getinfo(1, "S").source:gsub("^@", "")
  local root = vim.fn.fnamemodify(here, ":p:h:h:h:h:h")
  if vim.fn.filereadable(root .. "/pyproject.toml") == 1 then
    return root
  end
  return nil
end

--- Completes "Install": "with `uv tool install …` or `pipx install …`".
---@return string
function M.way()
  local commands = "with `uv tool install %s` or `pipx install %s`"
  if require("quotaline.distribution").published then
    return commands:format("quotaline", "quotaline")
  end
  local root = checkout()
  if not root then
    return commands:format(".", ".") .. " in a checkout of Quotaline"
  end
  local named = vim.fn.shellescape(root)
  return commands:format(named, named)
end

return M
