//! How the sidecar is started: the program of Zed's settings, else `quotaline` on the project's PATH.

use crate::distribution::INSTALL;
use zed_extension_api::settings::CommandSettings;
use zed_extension_api::{Command, EnvVars, Result};

const PROGRAM: &str = "quotaline";
const SERVE: &str = "serve";
const OR_NAME_IT: &str = "or name the program in Zed's settings: \
     \"lsp\": {\"quotaline\": {\"binary\": {\"path\": \"…\", \"arguments\": [\"serve\"]}}}.";

/// The command of the sidecar. `which` finds a program on the project's PATH.
///
/// # Errors
/// A sentence for the user when there is no program.
pub fn command(
    binary: Option<CommandSettings>,
    mut env: EnvVars,
    which: impl FnOnce(&str) -> Option<String>,
) -> Result<Command> {
    let (path, arguments, own_env) = match binary {
        Some(binary) => (binary.path, binary.arguments, binary.env),
        None => (None, None, None),
    };
    let command = path
        .map(|path| path.trim().to_owned())
        .filter(|path| !path.is_empty())
        .map(|path| in_home(&path, &env))
        .or_else(|| which(PROGRAM))
        .ok_or_else(|| {
            format!("Quotaline's server was not found. Install it with {INSTALL}, {OR_NAME_IT}")
        })?;
    for (name, value) in own_env.into_iter().flatten() {
        env.retain(|(known, _)| *known != name);
        env.push((name, value));
    }
    let args = arguments.unwrap_or_else(|| vec![SERVE.to_owned()]);
    Ok(Command { command, args, env })
}

/// `~/bin/quotaline` as a shell would read it.
fn in_home(path: &str, env: &EnvVars) -> String {
    let home = env.iter().find(|(name, _)| name == "HOME");
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some((_, home))) => format!("{}/{rest}", home.trim_end_matches('/')),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(path: Option<&str>, arguments: Option<&[&str]>) -> CommandSettings {
        CommandSettings {
            path: path.map(str::to_owned),
            arguments: arguments.map(|all| all.iter().map(|&one| one.to_owned()).collect()),
            env: None,
        }
    }

    fn home() -> EnvVars {
        vec![("HOME".to_owned(), "/home/ada/".to_owned())]
    }

    fn nowhere(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_program_on_the_path_serves() {
        let found = command(None, home(), |name| Some(format!("/opt/{name}"))).unwrap();
        assert_eq!(found.command, "/opt/quotaline");
        assert_eq!(found.args, ["serve"]);
        assert_eq!(found.env, home());
    }

    #[test]
    fn a_program_in_the_settings_wins_over_the_path() {
        let wanted = settings(Some("/srv/quotaline"), Some(&["serve", "--verbose"]));
        let found = command(Some(wanted), home(), |_| unreachable!()).unwrap();
        assert_eq!(found.command, "/srv/quotaline");
        assert_eq!(found.args, ["serve", "--verbose"]);
    }

    #[test]
    fn a_program_without_arguments_serves() {
        let found = command(Some(settings(Some("q"), None)), home(), nowhere).unwrap();
        assert_eq!(found.args, ["serve"]);
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let wanted = settings(Some("~/bin/quotaline"), None);
        let found = command(Some(wanted), home(), nowhere).unwrap();
        assert_eq!(found.command, "/home/ada/bin/quotaline");
    }

    #[test]
    fn an_empty_path_counts_as_none() {
        let found = command(Some(settings(Some("  "), None)), home(), |_| {
            Some("q".into())
        });
        assert_eq!(found.unwrap().command, "q");
    }

    #[test]
    fn own_variables_replace_the_shells() {
        let mut wanted = settings(Some("q"), None);
        wanted.env = Some([("HOME".to_owned(), "/tmp".to_owned())].into());
        let found = command(Some(wanted), home(), nowhere).unwrap();
        assert_eq!(found.env, [("HOME".to_owned(), "/tmp".to_owned())]);
    }

    #[test]
    fn a_missing_program_says_how_to_install_it() {
        let message = command(None, home(), nowhere).unwrap_err();
        assert!(message.contains(INSTALL), "{message}");
    }
}
