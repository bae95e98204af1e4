--- The window with the details: what the server says about all providers, or about one, live until it is closed.
local markdown = require("quotaline.markdown")
local session = require("quotaline.session")
local state = require("quotaline.state")
local text = require("quotaline.text")

local M = {}

local space = vim.api.nvim_create_namespace("quotaline.float")

---@class quotaline.Float
---@field buffer integer
---@field window integer
---@field id string|nil The provider that is shown, nil for all.
---@field links table[]
---@field config quotaline.Config

---@type quotaline.Float|nil
local float

---@return string[]
local function trouble(now)
  local lines = { "### Quotaline", "", "⚠ " .. (now.problem or "The server does not run.") }
  if now.phase == "missing" then
    vim.list_extend(lines, { "", "Install it " .. require("quotaline.install").way() .. "." })
  end
  return vim.list_extend(lines, { "", "More is told by `:checkhealth quotaline` and `:Quotaline log`." })
end

--- The server's Markdown that is to be shown.
---@param id string|nil
---@return string[]
local function source(id)
  local now = state.get()
  if not now.usage then
    local asking = (now.phase == "starting" or now.phase == "ready") and not now.problem
    return asking and { "Asking…" } or trouble(now)
  end
  local lines = {}
  if now.problem then
    vim.list_extend(lines, { "⚠ " .. now.problem, "", "---", "" })
  end
  if not id then
    return vim.list_extend(lines, text.lines(now.usage.hover))
  end
  local found = false
  for _, provider in ipairs(now.usage.providers) do
    if provider.id == id then
      if found then
        vim.list_extend(lines, { "", "---", "" })
      end
      found = true
      vim.list_extend(lines, text.lines(provider.hover))
    end
  end
  if not found then
    vim.list_extend(lines, { ("`%s` is not shown."):format(id) })
  end
  return lines
end

local function border(config)
  if config.float.border then
    return config.float.border
  end
  local own = vim.fn.exists("&winborder") == 1 and vim.o.winborder or ""
  return own ~= "" and own or "rounded"
end

local FOOTER = " q close · r refresh · ⏎ open link "

---@param page quotaline.markdown.Page
---@param config quotaline.Config
local function shape(page, config)
  local width = vim.api.nvim_strwidth(FOOTER)
  for _, line in ipairs(page.lines) do
    width = math.max(width, vim.api.nvim_strwidth(line) + 1)
  end
  width = math.max(1, math.min(width, config.float.max_width, vim.o.columns - 4))
  local height = 0
  for _, line in ipairs(page.lines) do
    height = height + math.max(1, math.ceil(vim.api.nvim_strwidth(line) / width))
  end
  local screen = vim.o.lines - vim.o.cmdheight - 4
  local most = config.float.max_height
  most = most < 1 and math.floor(screen * most) or most
  return width, math.max(1, math.min(height, most, screen))
end

local function window_config(width, height, config)
  return {
    relative = "editor",
    anchor = "SE",
    row = vim.o.lines - vim.o.cmdheight - 1,
    col = vim.o.columns,
    width = width,
    height = height,
    border = border(config),
    title = " AI quota ",
    title_pos = "left",
    footer = FOOTER,
    footer_pos = "right",
  }
end

---@param buffer integer
---@param page quotaline.markdown.Page
---@param width integer
local function fill(buffer, page, width)
  for _, row in ipairs(page.rules) do
    page.lines[row + 1] = ("─"):rep(width)
    table.insert(page.marks, { row = row, from = 0, to = #page.lines[row + 1], group = "QuotalineMuted" })
  end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, page.lines)
  vim.bo[buffer].modifiable = false
  vim.api.nvim_buf_clear_namespace(buffer, space, 0, -1)
  for _, mark in ipairs(page.marks) do
    vim.api.nvim_buf_set_extmark(buffer, space, mark.row, mark.from, { end_col = mark.to, hl_group = mark.group })
  end
end

local function is_open()
  return float ~= nil and vim.api.nvim_win_is_valid(float.window)
end

--- Draw what is known now, when the window is open.
function M.redraw()
  if not is_open() then
    return
  end
  local page = markdown.page(source(float.id))
  local width, height = shape(page, float.config)
  local cursor = vim.api.nvim_win_get_cursor(float.window)
  fill(float.buffer, page, width)
  float.links = page.links
  vim.api.nvim_win_set_config(float.window, window_config(width, height, float.config))
  pcall(vim.api.nvim_win_set_cursor, float.window, cursor)
end

function M.close()
  if is_open() then
    pcall(vim.api.nvim_win_close, float.window, true)
  end
  float = nil
end

--- Open the link under the cursor, else the first one on its line.
local function follow()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local chosen
  for _, link in ipairs(float and float.links or {}) do
    if link.row == cursor[1] - 1 then
      chosen = chosen or link
      if cursor[2] >= link.from and cursor[2] < link.to then
        chosen = link
      end
    end
  end
  if chosen then
    require("quotaline.documents").browse(chosen.url)
  end
end

local function keys(buffer)
  local function map(lhs, run, description)
    vim.keymap.set("n", lhs, run, { buffer = buffer, nowait = true, silent = true, desc = description })
  end
  map("q", M.close, "Close")
  map("<Esc>", M.close, "Close")
  map("r", function()
    local id = float and float.id
    session.execute("refresh", { id }, function(problem)
      if problem then
        require("quotaline.say").problem(problem)
      end
    end)
  end, "Refresh")
  map("<CR>", follow, "Open the link")
  map("gx", follow, "Open the link")
end

--- Open the window, or turn to it when it is open.
---@param config quotaline.Config
---@param id string|nil One provider.
function M.open(config, id)
  session.looked()
  if is_open() then
    float.id = id
    M.redraw()
    vim.api.nvim_set_current_win(float.window)
    return
  end
  local page = markdown.page(source(id))
  local width, height = shape(page, config)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = "wipe"
  vim.bo[buffer].filetype = "quotaline"
  fill(buffer, page, width)
  local options = vim.tbl_extend("error", window_config(width, height, config), { style = "minimal", zindex = 60 })
  local window = vim.api.nvim_open_win(buffer, true, options)
  float = { buffer = buffer, window = window, id = id, links = page.links, config = config }
  for option, value in pairs({ wrap = true, linebreak = true, breakindent = true, breakindentopt = "shift:2" }) do
    vim.api.nvim_set_option_value(option, value, { win = window, scope = "local" })
  end
  keys(buffer)
  local group = vim.api.nvim_create_augroup("quotaline.float", {})
  vim.api.nvim_create_autocmd("WinLeave", { group = group, buffer = buffer, once = true, callback = M.close })
  vim.api.nvim_create_autocmd("VimResized", { group = group, callback = M.redraw })
end

return M
