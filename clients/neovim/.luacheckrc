std = "luajit"
cache = false
max_line_length = 120
read_globals = { "vim" }
globals = { "vim.bo", "vim.wo", "vim.o", "vim.g" }
