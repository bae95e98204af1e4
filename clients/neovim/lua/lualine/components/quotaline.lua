--- The component for lualine.nvim: `sections = { lualine_x = { "quotaline" } }`.
local quotaline = require("quotaline")
local component = require("lualine.component"):extend()

--- The severity's colour on the section's own background.
local function colour()
  if quotaline.severity() == "ok" then
    return nil
  end
  return { fg = require("quotaline.highlights").colour(quotaline.highlight()) }
end

local function refresh()
  local lualine = package.loaded.lualine
  if lualine and lualine.refresh then
    lualine.refresh()
  end
end

function component:init(options)
  options.color = options.color or colour
  options.on_click = options.on_click or quotaline.click
  component.super.init(self, options)
  vim.api.nvim_create_autocmd("User", {
    group = vim.api.nvim_create_augroup("quotaline.lualine", {}),
    pattern = "QuotalineChanged",
    callback = refresh,
  })
end

function component.update_status()
  return require("quotaline.text").escape(quotaline.text())
end

return component
