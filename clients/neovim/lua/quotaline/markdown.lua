--- The little Markdown that the server writes (headings, lists, bold, code, links, rules), as text with highlights.
local M = {}

---@class quotaline.markdown.Piece
---@field text string
---@field group string|nil
---@field url string|nil
---@field from integer First byte in the source line, from 0.
---@field to integer The byte after the last one.

---@class quotaline.markdown.Line
---@field kind "text"|"heading"|"rule"|"blank"
---@field pieces quotaline.markdown.Piece[]

local BAR = "[█▓▒░▁▂▃▄▅▆▇]"

---@param source string
---@param from integer First byte, from 1.
---@param base string|nil The group of plain text here.
---@return quotaline.markdown.Piece[]
local function inline(source, from, base)
  local pieces, strong, at = {}, false, from
  local function add(text, first, after, group, url)
    local last = pieces[#pieces]
    if last and last.group == group and last.url == url and last.to == first - 1 then
      last.text, last.to = last.text .. text, after - 1
    elseif text ~= "" then
      pieces[#pieces + 1] = { text = text, group = group, url = url, from = first - 1, to = after - 1 }
    end
  end
  while at <= #source do
    local group = strong and "QuotalineStrong" or base
    local escaped = source:match("^\\(%p)", at)
    local code, after_code = source:match("^`+%s?(.-)%s?`+()", at)
    local label, url, after_link = source:match("^%[(.-[^\\])%]%((.-)%)()", at)
    if escaped then
      -- the character keeps a place of its own, so that a backslash can be hidden
      pieces[#pieces + 1] = { text = escaped, group = group, from = at, to = at + 1 }
      at = at + 2
    elseif code then
      local first = source:find(code, at, true) or at
      add(code, first, first + #code, vim.fn.match(code, BAR) >= 0 and "QuotalineBar" or "QuotalineStrong")
      at = after_code
    elseif label then
      add((label:gsub("\\(%p)", "%1")), at + 1, at + 1 + #label, "QuotalineLink", url)
      at = after_link
    elseif source:sub(at, at + 1) == "**" then
      strong = not strong
      at = at + 2
    else
      local stop = source:find("[\\`%[*]", at + 1) or (#source + 1)
      add(source:sub(at, stop - 1), at, stop, group)
      at = stop
    end
  end
  return pieces
end

---@param source string One line.
---@return quotaline.markdown.Line
function M.line(source)
  if source:match("^%s*$") then
    return { kind = "blank", pieces = {} }
  end
  if source:match("^%-%-%-+%s*$") then
    return { kind = "rule", pieces = {} }
  end
  local heading = source:match("^#+%s+()")
  if heading then
    return { kind = "heading", pieces = inline(source, heading, "QuotalineTitle") }
  end
  local indent, item = source:match("^(%s*)[-*]%s+()")
  if item then
    local pieces = inline(source, item)
    table.insert(pieces, 1, { text = indent .. "• ", group = "QuotalineMuted", from = 0, to = item - 1 })
    return { kind = "text", pieces = pieces }
  end
  local problem = source:find("^⚠") and "QuotalineProblem" or nil
  return { kind = "text", pieces = inline(source, 1, problem) }
end

---@class quotaline.markdown.Mark
---@field row integer From 0.
---@field from integer
---@field to integer
---@field group string

---@class quotaline.markdown.Page
---@field lines string[]
---@field marks quotaline.markdown.Mark[]
---@field links { row: integer, from: integer, to: integer, url: string }[]
---@field rules integer[] Rows that are a rule across the window.

--- A whole text, laid out for a small window: without blank lines, one cell away from the left edge.
---@param sources string[]
---@return quotaline.markdown.Page
function M.page(sources)
  local page = { lines = {}, marks = {}, links = {}, rules = {} }
  for _, source in ipairs(sources) do
    local line = M.line(source)
    if line.kind ~= "blank" then
      local row, text = #page.lines, " "
      for _, piece in ipairs(line.pieces) do
        local from = #text
        text = text .. piece.text
        if piece.group then
          table.insert(page.marks, { row = row, from = from, to = #text, group = piece.group })
        end
        if piece.url then
          table.insert(page.links, { row = row, from = from, to = #text, url = piece.url })
        end
      end
      if line.kind == "rule" then
        table.insert(page.rules, row)
      end
      page.lines[#page.lines + 1] = text
    end
  end
  return page
end

return M
