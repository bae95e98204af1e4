--- Which programs can be started.
local M = {}

--- Whether `file` is an app execution alias of Windows, as the Store's programs have them: it can be started but not
--- looked into, and |executable()| does not see it.
---@param file string
---@return boolean
local function is_alias(file)
  local stat, _, problem = vim.uv.fs_stat(file)
  local entry = not stat and problem == "EACCES" and vim.uv.fs_lstat(file)
  return entry and entry.type ~= "directory" or false
end

--- Whether a program, named by its path or its name on the PATH, can be started.
---@param name string
---@return boolean
function M.can_start(name)
  if vim.fn.executable(name) == 1 then
    return true
  end
  if vim.fn.has("win32") == 0 then
    return false
  end
  local program = name:lower():match("%.exe$") and name or name .. ".exe"
  if program:find("[/\\]") then
    return is_alias(program)
  end
  for folder in vim.gsplit(vim.env.PATH or "", ";", { plain = true, trimempty = true }) do
    if is_alias(folder:gsub('"', "") .. "\\" .. program) then
      return true
    end
  end
  return false
end

return M
