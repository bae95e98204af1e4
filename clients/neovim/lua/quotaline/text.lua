--- Foreign text made safe to place in cells: names, accounts and messages come from vendors.
local M = {}

M.ELLIPSIS = "…"

-- What nobody sees, or what Neovim draws as `<2068>`: Unicode's default ignorable characters, as bytes of UTF-8.
local invisible = {
  "\194\173", -- soft hyphen
  "\205\143", -- grapheme joiner
  "\216\156", -- Arabic letter mark
  "\225\133[\159\160]", -- Hangul fillers
  "\225\158[\180\181]", -- Khmer vowels without a shape
  "\225\160[\139-\143]", -- Mongolian selectors
  "\226\128[\139-\143\170-\174]", -- without width, marks and overrides of direction
  "\226\129[\160-\175]", -- word joiner, isolates
  "\227\133\164",
  "\239\184[\128-\143]", -- variation selectors
  "\239\187\191", -- byte order mark
  "\239\190\160",
  "\239\191[\176-\187]",
  "\240\155\178[\160-\163]",
  "\240\157\133[\179-\186]",
  "\243\160[\128-\191][\128-\191]", -- tags, more variation selectors
}

--- One line without control characters and without what nobody sees.
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
