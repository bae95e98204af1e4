"""The Neovim client in real Neovim: the oldest supported one and the newest."""
