--- Quotaline for Neovim: how much of your AI quota is left, in the status line. The server finds, reads and words the
--- numbers; this plug-in only places them.
local M = {}

---@type quotaline.Config|nil
local config

local function state()
  return require("quotaline.state")
end

local redrawing = false

--- Draw the status lines again, once for all changes of a moment.
local function redraw()
  if redrawing then
    return
  end
  redrawing = true
  vim.schedule(function()
    redrawing = false
    vim.cmd.redrawstatus({ bang = true })
    if vim.o.tabline ~= "" then
      vim.cmd.redrawtabline()
    end
  end)
end

local function changed()
  if require("quotaline.statusline").update(M.config()) then
    redraw()
  end
  for _, place in ipairs({ "float", "report", "documents" }) do
    local module = package.loaded["quotaline." .. place]
    if module then
      (module.redraw or module.redecorate)()
    end
  end
  vim.api.nvim_exec_autocmds("User", { pattern = "QuotalineChanged", modeline = false })
end

local function follow_editor()
  local group = vim.api.nvim_create_augroup("quotaline", {})
  local highlights = require("quotaline.highlights")
  highlights.define()
  vim.api.nvim_create_autocmd("ColorScheme", { group = group, callback = highlights.define })
  vim.api.nvim_create_autocmd("VimLeavePre", {
    group = group,
    callback = function()
      require("quotaline.session").leave()
    end,
  })
  require("quotaline.documents").follow(group)
  return group
end

--- Start the server once Neovim has drawn itself, so that nobody waits for it.
---@param group integer
local function start_later(group)
  local start = vim.schedule_wrap(function()
    require("quotaline.session").start()
  end)
  if vim.v.vim_did_enter == 1 then
    start()
  else
    vim.api.nvim_create_autocmd("VimEnter", { group = group, once = true, callback = start })
  end
end

--- Set up, or take other options. Raises an error that names an option which cannot be used.
---@param options table|nil See |quotaline-options|.
function M.setup(options)
  local merged = require("quotaline.config").merged(options)
  config = merged
  local group = follow_editor()
  state().listen(changed)
  require("quotaline.session").use(merged)
  if require("quotaline.statusline").update(merged) then
    redraw()
  end
  if merged.autostart then
    start_later(group)
  end
end

--- Set up with the defaults when nobody did.
function M.ensure()
  if not config then
    M.setup({ autostart = false })
  end
end

---@return quotaline.Config
function M.config()
  return config or require("quotaline.config").defaults
end

local function line()
  return require("quotaline.statusline").line()
end

--- For 'statusline', inside `%{%...%}`: coloured, a click opens the details. Empty when there is nothing to say.
---@return string
function M.statusline()
  return line().statusline
end

--- For 'winbar', inside `%{%...%}`: every provider in its own colour.
---@return string
function M.winbar()
  return line().winbar
end

--- The plain text of the status line, cut to its width.
---@return string
function M.text()
  return line().text
end

--- "ok", "warning", "critical", "stale", "error" or "empty".
---@return string
function M.severity()
  return line().severity
end

--- The highlight group of the severity.
---@return string
function M.highlight()
  return require("quotaline.highlights").of(line().severity)
end

--- All that is known, for components of one's own.
---@return quotaline.State
function M.state()
  return state().get()
end

--- A component for heirline.nvim.
---@return table
function M.heirline()
  return {
    condition = function()
      return M.text() ~= ""
    end,
    provider = function()
      return require("quotaline.text").escape(M.text())
    end,
    hl = function()
      return M.highlight()
    end,
    update = { "User", pattern = "QuotalineChanged" },
    on_click = {
      name = "quotaline_click",
      callback = function()
        M.open()
      end,
    },
  }
end

--- The window with the details.
---@param id string|nil One provider instead of all.
function M.open(id)
  M.ensure()
  local phase = state().get().phase
  if phase == "off" or phase == "missing" then
    require("quotaline.session").start()
  end
  require("quotaline.float").open(M.config(), id)
end

--- A click on the status line.
function M.click()
  vim.schedule(M.open)
end

--- Read all shown providers now, or those with the given ids.
---@param ids string[]|nil
function M.refresh(ids)
  M.ensure()
  require("quotaline.commands").run("refresh", ids or {})
end

return M
