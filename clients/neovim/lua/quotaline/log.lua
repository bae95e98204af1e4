--- What happened to the server and what it said, kept in memory for `:Quotaline log`. Never what a user typed.
local M = {}

local MOST = 300

---@type string[]
local entries = {}

---@param text string
function M.add(text)
  entries[#entries + 1] = os.date("%H:%M:%S ") .. require("quotaline.text").clean(text)
  if #entries > MOST then
    table.remove(entries, 1)
  end
end

---@return string[]
function M.entries()
  return vim.deepcopy(entries)
end

return M
