--- The report of all providers at length, in a buffer that follows the numbers as long as it can be seen.
local markdown = require("quotaline.markdown")
local session = require("quotaline.session")
local text = require("quotaline.text")

local M = {}

local space = vim.api.nvim_create_namespace("quotaline.report")
local places = { tab = "tab split", split = "botright split", vsplit = "botright vsplit" }

local LOOK = {
  number = false,
  relativenumber = false,
  conceallevel = 2,
  concealcursor = "nc",
  wrap = true,
  linebreak = true,
  spell = false,
}

---@type integer|nil
local report

local function buffer()
  return report and vim.api.nvim_buf_is_valid(report) and report or nil
end

--- Hide what is only there for Markdown, and colour the rest.
local function decorate(target, lines)
  vim.api.nvim_buf_clear_namespace(target, space, 0, -1)
  for number, source in ipairs(lines) do
    local row, shown = number - 1, 0
    local line = markdown.line(source)
    local function hide(from, to)
      if to > from then
        vim.api.nvim_buf_set_extmark(target, space, row, from, { end_col = to, conceal = "" })
      end
    end
    for _, piece in ipairs(line.pieces) do
      hide(shown, piece.from)
      shown = piece.to
      local bullet = piece.group == "QuotalineMuted" and source:match("^%s*()[-*]")
      if bullet then
        vim.api.nvim_buf_set_extmark(target, space, row, bullet - 1, { end_col = bullet, conceal = "•" })
      elseif piece.group then
        vim.api.nvim_buf_set_extmark(target, space, row, piece.from, { end_col = piece.to, hl_group = piece.group })
      end
    end
    if #line.pieces > 0 then
      hide(shown, #source)
    end
  end
end

local function fill(target, content)
  local lines = text.lines((content:gsub("\n+$", "")))
  if vim.deep_equal(lines, vim.api.nvim_buf_get_lines(target, 0, -1, false)) then
    return
  end
  vim.bo[target].modifiable = true
  vim.api.nvim_buf_set_lines(target, 0, -1, false, lines)
  vim.bo[target].modifiable = false
  decorate(target, lines)
end

--- Ask for the report and put it into its buffer.
---@param done fun()|nil
local function load(done)
  session.request("quotaline/report", { format = "markdown" }, function(problem, result)
    local target = buffer()
    if target and type(result) == "table" and type(result.content) == "string" then
      fill(target, result.content)
    elseif problem then
      require("quotaline.log").add(problem)
    end
    if done then
      done()
    end
  end)
end

--- The numbers changed.
function M.redraw()
  local target = buffer()
  if target and #vim.fn.win_findbuf(target) > 0 then
    load()
  end
end

local function follow()
  local cursor = vim.api.nvim_win_get_cursor(0)
  for _, piece in ipairs(markdown.line(vim.api.nvim_get_current_line()).pieces) do
    if piece.url and cursor[2] >= piece.from - 1 and cursor[2] <= piece.to then
      require("quotaline.documents").browse(piece.url)
      return
    end
  end
end

local function keys(target)
  local function map(lhs, run, description)
    vim.keymap.set("n", lhs, run, { buffer = target, nowait = true, silent = true, desc = description })
  end
  map("q", function()
    if vim.fn.tabpagenr("$") > 1 or vim.fn.winnr("$") > 1 then
      vim.cmd.close()
    else
      vim.cmd.enew()
    end
  end, "Close the report")
  map("r", function()
    require("quotaline.commands").run("refresh", {})
  end, "Refresh")
  map("<CR>", follow, "Open the link")
  map("gx", follow, "Open the link")
end

local function prepare(path)
  local target = vim.fn.bufadd(path)
  vim.bo[target].buftype = "nofile"
  vim.bo[target].swapfile = false
  vim.bo[target].bufhidden = "hide"
  vim.bo[target].modifiable = false
  vim.fn.bufload(target)
  vim.bo[target].filetype = "quotaline"
  keys(target)
  return target
end

--- Show the report. A window that shows it already is turned to.
---@param path string The file whose name the buffer bears.
function M.open(path)
  local config = require("quotaline").config()
  report = buffer() or prepare(path)
  local shown = vim.fn.win_findbuf(report)[1]
  if shown then
    vim.api.nvim_set_current_win(shown)
  else
    if places[config.report.open] then
      vim.cmd(places[config.report.open])
    end
    vim.api.nvim_win_set_buf(0, report)
  end
  for option, value in pairs(LOOK) do
    vim.api.nvim_set_option_value(option, value, { win = 0, scope = "local" })
  end
  load(function()
    require("quotaline.documents").consider(report)
  end)
end

return M
