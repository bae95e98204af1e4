-- Only the command: everything else is loaded when it is used.
if vim.g.loaded_quotaline or vim.fn.has("nvim-0.10") == 0 then
  return
end
vim.g.loaded_quotaline = true

vim.api.nvim_create_user_command("Quotaline", function(call)
  require("quotaline.commands").execute(call)
end, {
  nargs = "*",
  desc = "AI quota: details, refresh, report, sign-in and more",
  complete = function(start, line, cursor)
    return require("quotaline.commands").complete(start, line, cursor)
  end,
})
