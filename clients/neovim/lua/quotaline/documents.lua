--- The two documents with language features, the config file and the report: attached to the server wherever they are
--- open. And what the server wants shown.
local say = require("quotaline.say")
local session = require("quotaline.session")

local M = {}

---@type { config: string|nil, report: string|nil } Their paths, once the server told.
local paths = {}

local function lsp()
  return require("quotaline.lsp")
end

local function real(path)
  return vim.uv.fs_realpath(path) or vim.fs.normalize(path, { expand_env = false })
end

--- Edit a file as `:drop` does, in the window that shows it already if there is one. `:drop` itself would expand a `$`
--- in the path, and on Windows it cannot be escaped.
---@param path string
local function edit(path)
  local buffer = vim.fn.bufadd(path)
  vim.bo[buffer].buflisted = true
  local shown = vim.fn.win_findbuf(buffer)[1]
  if shown then
    vim.api.nvim_set_current_win(shown)
  elseif vim.wo.winfixbuf or (vim.bo.modified and not vim.o.hidden) then
    vim.api.nvim_open_win(buffer, true, { split = "above", win = 0 })
  else
    vim.api.nvim_win_set_buf(0, buffer)
  end
end

---@param buffer integer
---@return boolean
local function is_ours(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if name == "" or not vim.api.nvim_buf_is_loaded(buffer) then
    return false
  end
  local path = real(name)
  return (paths.config ~= nil and path == real(paths.config)) or (paths.report ~= nil and path == real(paths.report))
end

--- Attach the server to a buffer when it is one of the two.
---@param buffer integer
function M.consider(buffer)
  local client = session.client()
  if client and is_ours(buffer) then
    lsp().attach(client, buffer)
  end
end

local function consider_all()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    M.consider(buffer)
  end
end

--- The server answers (again): learn where the documents are and attach it to those that are open.
function M.ready()
  session.request("quotaline/documents", vim.empty_dict(), function(_, result)
    if type(result) == "table" then
      for _, name in ipairs({ "config", "report" }) do
        if type(result[name]) == "string" then
          paths[name] = lsp().path(result[name])
        end
      end
      consider_all()
    end
  end)
end

--- The numbers changed: draw them again where they stand in a document.
function M.redecorate()
  local client = session.client()
  for _, buffer in ipairs(client and vim.api.nvim_list_bufs() or {}) do
    if is_ours(buffer) and #vim.fn.win_findbuf(buffer) > 0 then
      lsp().redecorate(buffer)
    end
  end
end

---@return string|nil
function M.config_path()
  return paths.config
end

--- Open an address in the browser.
---@param url string
---@return boolean opened
function M.browse(url)
  if not url:match("^https?://") then
    return false
  end
  local ok, _, problem = pcall(vim.ui.open, url)
  if not ok or problem then
    say.now("open this address in a browser: " .. url)
    return false
  end
  return true
end

--- What `window/showDocument` asks for.
---@param uri string
---@param external boolean
---@return boolean success
function M.show(uri, external)
  if type(uri) ~= "string" then
    return false
  end
  if external then
    return M.browse(uri)
  end
  if not vim.startswith(uri, "file://") then
    return false
  end
  local path = lsp().path(uri)
  if paths.report and real(path) == real(paths.report) then
    require("quotaline.report").open(path)
  else
    local ok, problem = pcall(edit, path)
    if not ok then
      say.problem(tostring(problem))
      return false
    end
    M.consider(vim.api.nvim_get_current_buf())
  end
  return true
end

--- Follow the buffers from now on.
---@param group integer
function M.follow(group)
  vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile", "BufFilePost" }, {
    group = group,
    callback = function(event)
      M.consider(event.buf)
    end,
  })
end

return M
