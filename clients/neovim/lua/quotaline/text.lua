--- Foreign text made safe to place in cells: names, accounts and messages come from vendors.
local M = {}

M.ELLIPSIS = "…"

-- Neovim draws these as `<2068>`: isolates and overrides of writing direction, byte order marks.
local invisible = {
  "\226\128[\142\143\170-\174]",
  "\226\129[\166-\169]",
  "\216\156",
  "\239\187\191",
}

--- One line without control characters and direction marks.
---@param text any Anything but a string is an empty text.
---@return string
function M.clean(text)
  if type(text) ~= "string" then
    return ""
  end
  for _, pattern in ipairs(invisible) do
    text = text:gsub(pattern, "")
  end
  text = text:gsub("\226\128[\168\169]", " "):gsub("\194[\128-\159]", " ")
  return (text:gsub("[%z\1-\31\127]", " "))
end

--- The same for several lines.
---@param text any
---@return string[]
function M.lines(text)
  if type(text) ~= "string" then
    return {}
  end
  return vim.tbl_map(M.clean, vim.split(text:gsub("\r\n?", "\n"), "\n", { plain = true }))
end

--- At most `width` cells, the last an ellipsis when something was cut. Wide and composed characters stay whole.
---@param text string
---@param width integer
---@return string
function M.cut(text, width)
  if vim.api.nvim_strwidth(text) <= width then
    return text
  end
  local kept, used = {}, 0
  for _, character in ipairs(vim.fn.split(text, [[\zs]])) do
    used = used + vim.api.nvim_strwidth(character)
    if used > width - 1 then
      break
    end
    kept[#kept + 1] = character
  end
  return (table.concat(kept):gsub("%s+$", "")) .. M.ELLIPSIS
end

--- Text that 'statusline' shows as it is.
---@param text string
---@return string
function M.escape(text)
  return (text:gsub("%%", "%%%%"))
end

return M
