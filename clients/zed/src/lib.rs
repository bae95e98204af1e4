//! Quotaline in Zed: starts the sidecar and hands it Zed's settings. What the user sees comes from the sidecar.

mod distribution;
mod launch;
mod options;

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{
    Command, Extension, LanguageServerId, Result, Worktree, current_platform, register_extension,
    serde_json,
};

/// The name under `lsp` in Zed's settings; the same as in `extension.toml`.
const SERVER: &str = "quotaline";

struct Quotaline;

impl Extension for Quotaline {
    fn new() -> Self {
        Self
    }

    fn language_server_command(
        &mut self,
        _: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Command> {
        let binary = LspSettings::for_worktree(SERVER, worktree)?.binary;
        let (os, _) = current_platform();
        launch::command(os, binary, worktree.shell_env(), |name| {
            worktree.which(name)
        })
    }

    fn language_server_initialization_options(
        &mut self,
        _: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        let settings = LspSettings::for_worktree(SERVER, worktree)?;
        Ok(Some(options::sent(settings)))
    }

    fn language_server_workspace_configuration(
        &mut self,
        id: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<serde_json::Value>> {
        self.language_server_initialization_options(id, worktree)
    }
}

register_extension!(Quotaline);
