--- What a user can set, its defaults, and the check that names what cannot be used.
local M = {}

---@class quotaline.Config
---@field cmd string[]|nil The server's command, whole. Default: `quotaline serve` from PATH.
---@field env table<string, string>|nil Environment variables for the server, beside Neovim's own.
---@field autostart boolean Start the server when Neovim has started; otherwise with the first `:Quotaline`.
---@field settings table Display and cadence, sent to the server as section `quotaline`.
---@field statusline quotaline.config.Statusline
---@field float quotaline.config.Float
---@field report quotaline.config.Report
---@field restart quotaline.config.Restart

---@class quotaline.config.Statusline
---@field max_width integer At most this many cells; a longer text ends in an ellipsis.
---@field highlight boolean Colour the text by its severity.
---@field click boolean A click opens the window with the details.

---@class quotaline.config.Float
---@field border string|string[]|nil As for |nvim_open_win()|. Default: 'winborder' where it is set, else "rounded".
---@field max_width integer In cells.
---@field max_height number In lines, or a part of the screen below 1.

---@class quotaline.config.Report
---@field open "tab"|"split"|"vsplit"|"current" Where the report opens.

---@class quotaline.config.Restart
---@field attempts integer How often a server that stops is started again before giving up.
---@field delay_ms integer The wait before the first new start; it doubles each time.
---@field answer_ms integer How long a server may be silent after its start before that is said.

---@type quotaline.Config
M.defaults = {
  cmd = nil,
  env = nil,
  autostart = true,
  settings = {},
  statusline = { max_width = 60, highlight = true, click = true },
  float = { border = nil, max_width = 84, max_height = 0.8 },
  report = { open = "tab" },
  restart = { attempts = 5, delay_ms = 500, answer_ms = 20000 },
}

local positions = { tab = true, split = true, vsplit = true, current = true }

---@param value any
local function is_command(value)
  if value == nil then
    return true
  end
  if type(value) ~= "table" or #value == 0 then
    return false
  end
  for _, word in ipairs(value) do
    if type(word) ~= "string" then
      return false
    end
  end
  return true
end

local function positive(value)
  return type(value) == "number" and value > 0
end

--- The check, whether nil is fine, what is expected.
---@type table<string, { [1]: any, [2]: boolean|nil, [3]: string|nil }>
local rules = {
  cmd = { is_command, true, "a list of strings, as { 'quotaline', 'serve' }" },
  env = { "table", true },
  autostart = { "boolean" },
  settings = { "table" },
  statusline = { "table" },
  ["statusline.max_width"] = { positive, nil, "a number of cells" },
  ["statusline.highlight"] = { "boolean" },
  ["statusline.click"] = { "boolean" },
  float = { "table" },
  ["float.border"] = {
    function(value)
      return value == nil or type(value) == "string" or type(value) == "table"
    end,
    true,
    "a string or a list",
  },
  ["float.max_width"] = { positive, nil, "a number of cells" },
  ["float.max_height"] = { positive, nil, "a number of lines, or a part of the screen below 1" },
  report = { "table" },
  ["report.open"] = {
    function(value)
      return positions[value] == true
    end,
    nil,
    "'tab', 'split', 'vsplit' or 'current'",
  },
  restart = { "table" },
  ["restart.attempts"] = {
    function(value)
      return type(value) == "number" and value >= 0
    end,
    nil,
    "a number",
  },
  ["restart.delay_ms"] = { positive, nil, "a number of milliseconds" },
  ["restart.answer_ms"] = { positive, nil, "a number of milliseconds" },
}

--- `vim.validate` in the form that this Neovim wants.
local function validate(name, value, rule)
  local check, optional, expected = rule[1], rule[2], rule[3]
  if vim.fn.has("nvim-0.11") == 1 then
    if type(check) == "function" then
      vim.validate(name, value, check, optional or false, expected)
    else
      vim.validate(name, value, check, optional or false)
    end
  elseif type(check) == "function" then
    vim.validate({ [name] = { value, check, expected } })
  else
    vim.validate({ [name] = { value, check, optional } })
  end
end

---@param options table
---@param known table
---@param prefix string
local function check_names(options, known, prefix)
  for name in pairs(options) do
    if rules[prefix .. tostring(name)] == nil then
      error(("quotaline: there is no option `%s%s`"):format(prefix, tostring(name)), 0)
    end
    if type(known[name]) == "table" and name ~= "settings" and type(options[name]) == "table" then
      check_names(options[name], known[name], prefix .. name .. ".")
    end
  end
end

--- The defaults with the user's options over them. Raises an error that names the option which cannot be used.
---@param options table|nil
---@return quotaline.Config
function M.merged(options)
  options = options or {}
  validate("options", options, { "table" })
  check_names(options, M.defaults, "")
  local config = vim.tbl_deep_extend("force", M.defaults, options)
  for _, name in ipairs(vim.tbl_keys(rules)) do
    validate(name, vim.tbl_get(config, unpack(vim.split(name, ".", { plain = true }))), rules[name])
  end
  return config
end

return M
