--- The strings for 'statusline' and 'winbar', put together when something changed, not when something is drawn.
local highlights = require("quotaline.highlights")
local state = require("quotaline.state")
local text = require("quotaline.text")

local M = {}

M.TROUBLE = "Quotaline !"
local SEPARATOR = " · "

---@class quotaline.Line
---@field text string Plain text, cut to its width.
---@field severity string
---@field statusline string
---@field winbar string

---@type quotaline.Line
local line = { text = "", severity = "empty", statusline = "", winbar = "" }

--- What is to be said at all.
---@param now quotaline.State
---@return string text
---@return string severity
local function said(now)
  if now.phase == "off" or now.phase == "missing" then
    return "", "empty"
  end
  if now.phase == "failed" or now.phase == "strange" then
    return M.TROUBLE, "error"
  end
  if now.phase == "restarting" then
    return now.usage and now.usage.text or M.TROUBLE, now.usage and "stale" or "error"
  end
  if now.usage then
    return now.usage.text, now.usage.severity
  end
  if now.problem then
    return M.TROUBLE, "error"
  end
  return "", "empty"
end

---@param pieces { [1]: string, [2]: string }[] Texts and severities.
---@param options quotaline.config.Statusline
local function placed(pieces, options)
  local parts = {}
  for _, piece in ipairs(pieces) do
    local escaped = text.escape(piece[1])
    parts[#parts + 1] = options.highlight and ("%%#%s#%s%%*"):format(highlights.of(piece[2]), escaped) or escaped
  end
  local joined = table.concat(parts, SEPARATOR)
  if joined == "" or not options.click then
    return joined
  end
  return "%@v:lua.require'quotaline'.click@" .. joined .. "%X"
end

--- As many providers as fit; an ellipsis stands for the others.
---@param providers quotaline.Provider[]
---@param width integer
---@param stale boolean
local function fitting(providers, width, stale)
  local pieces, used = {}, 0
  for number, provider in ipairs(providers) do
    local room = width - used - (number < #providers and 4 or 0)
    local wanted = vim.api.nvim_strwidth(provider.text)
    if wanted > room and number > 1 then
      pieces[#pieces + 1] = { text.ELLIPSIS, "empty" }
      break
    end
    pieces[#pieces + 1] = { text.cut(provider.text, room), stale and "stale" or provider.severity }
    used = used + wanted + 3
  end
  return pieces
end

--- Put the strings together again. Returns whether any of them is another now.
---@param config quotaline.Config
---@return boolean changed
function M.update(config)
  local now, options = state.get(), config.statusline
  local words, severity = said(now)
  words = text.cut(words, options.max_width)
  local pieces = words ~= "" and { { words, severity } } or {}
  local wide = pieces
  if now.usage and #now.usage.providers > 0 and words ~= "" and words ~= M.TROUBLE then
    wide = fitting(now.usage.providers, options.max_width, now.phase == "restarting")
  end
  local new = {
    text = words,
    severity = severity,
    statusline = placed(pieces, options),
    winbar = placed(wide, options),
  }
  local changed = not vim.deep_equal(new, line)
  line = new
  return changed
end

---@return quotaline.Line
function M.line()
  return line
end

return M
