//! How the sidecar is started: the program of Zed's settings, else `quotaline` on the project's PATH.

use crate::distribution::INSTALL;
use zed_extension_api::settings::CommandSettings;
use zed_extension_api::{Command, EnvVars, Os, Result};

const PROGRAM: &str = "quotaline";
const SERVE: &str = "serve";
const OR_NAME_IT: &str = "or name the program in Zed's settings: \
     \"lsp\": {\"quotaline\": {\"binary\": {\"path\": \"…\", \"arguments\": [\"serve\"]}}}.";

/// The command of the sidecar on a machine with the system `os`. `which` finds a program on the project's PATH.
///
/// # Errors
/// A sentence for the user when there is no program, or when `~` stands for a home folder that nothing names.
pub fn command(
    os: Os,
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
        .map(|path| in_home(os, &path, &env))
        .transpose()?
        .or_else(|| which(PROGRAM))
        .ok_or_else(|| {
            format!("Quotaline's server was not found. Install it with {INSTALL}, {OR_NAME_IT}")
        })?;
    for (name, value) in own_env.into_iter().flatten() {
        env.retain(|(known, _)| !is_same_variable(os, known, &name));
        env.push((name, value));
    }
    let args = arguments.unwrap_or_else(|| vec![SERVE.to_owned()]);
    Ok(Command { command, args, env })
}

/// `~/bin/quotaline` as a shell would read it; on Windows also `~\bin\quotaline`.
fn in_home(os: Os, path: &str, env: &EnvVars) -> Result<String> {
    let separators: &[char] = if is_windows(os) { &['/', '\\'] } else { &['/'] };
    let Some(rest) = path
        .strip_prefix('~')
        .and_then(|rest| rest.strip_prefix(separators))
    else {
        return Ok(path.to_owned());
    };
    // On Windows, HOME comes from a Unix shell, if at all, and may be a path that Windows cannot read.
    let names: &[&str] = if is_windows(os) {
        &["USERPROFILE", "HOME"]
    } else {
        &["HOME"]
    };
    let home = names
        .iter()
        .find_map(|name| variable(os, env, name))
        .ok_or_else(|| {
            format!(
                "The home folder in {path} is not known, as {} is not set. \
                 Give the whole path of the program in Zed's settings, under lsp.quotaline.binary.path.",
                names[0]
            )
        })?;
    let separator = if is_windows(os) { '\\' } else { '/' };
    Ok(format!(
        "{}{separator}{rest}",
        home.trim_end_matches(separators)
    ))
}

/// The value of a variable that is set and not empty.
fn variable<'env>(os: Os, env: &'env EnvVars, name: &str) -> Option<&'env str> {
    env.iter()
        .find(|(known, value)| is_same_variable(os, known, name) && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

/// Windows knows `Path` and `PATH` as one variable.
fn is_same_variable(os: Os, one: &str, other: &str) -> bool {
    one == other || (is_windows(os) && one.to_uppercase() == other.to_uppercase())
}

fn is_windows(os: Os) -> bool {
    matches!(os, Os::Windows)
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
        let found = command(Os::Linux, None, home(), |name| Some(format!("/opt/{name}"))).unwrap();
        assert_eq!(found.command, "/opt/quotaline");
        assert_eq!(found.args, ["serve"]);
        assert_eq!(found.env, home());
    }

    #[test]
    fn a_program_in_the_settings_wins_over_the_path() {
        let wanted = settings(Some("/srv/quotaline"), Some(&["serve", "--verbose"]));
        let found = command(Os::Linux, Some(wanted), home(), |_| unreachable!()).unwrap();
        assert_eq!(found.command, "/srv/quotaline");
        assert_eq!(found.args, ["serve", "--verbose"]);
    }

    #[test]
    fn a_program_without_arguments_serves() {
        let found = command(Os::Linux, Some(settings(Some("q"), None)), home(), nowhere).unwrap();
        assert_eq!(found.args, ["serve"]);
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let wanted = settings(Some("~/bin/quotaline"), None);
        let found = command(Os::Linux, Some(wanted), home(), nowhere).unwrap();
        assert_eq!(found.command, "/home/ada/bin/quotaline");
    }

    #[test]
    fn an_empty_path_counts_as_none() {
        let found = command(Os::Linux, Some(settings(Some("  "), None)), home(), |_| {
            Some("q".into())
        });
        assert_eq!(found.unwrap().command, "q");
    }

    #[test]
    fn own_variables_replace_the_shells() {
        let mut wanted = settings(Some("q"), None);
        wanted.env = Some([("HOME".to_owned(), "/tmp".to_owned())].into());
        let found = command(Os::Linux, Some(wanted), home(), nowhere).unwrap();
        assert_eq!(found.env, [("HOME".to_owned(), "/tmp".to_owned())]);
    }

    #[test]
    fn a_missing_program_says_how_to_install_it() {
        let message = command(Os::Linux, None, home(), nowhere).unwrap_err();
        assert!(message.contains(INSTALL), "{message}");
    }

    #[test]
    fn a_tilde_on_windows_is_the_users_profile_with_either_separator() {
        let env = vec![
            ("HOME".to_owned(), "/c/Users/ada".to_owned()),
            (
                "UserProfile".to_owned(),
                r"C:\Users\Jörg O'Brien $x".to_owned(),
            ),
        ];
        for path in [r"~\bin\quotaline", "~/bin\\quotaline"] {
            let wanted = settings(Some(path), None);
            let found = command(Os::Windows, Some(wanted), env.clone(), nowhere).unwrap();
            assert_eq!(found.command, r"C:\Users\Jörg O'Brien $x\bin\quotaline");
        }
    }

    #[test]
    fn a_backslash_after_a_tilde_is_a_name_where_it_separates_nothing() {
        for os in [Os::Linux, Os::Mac] {
            let wanted = settings(Some(r"~\bin"), None);
            let found = command(os, Some(wanted), home(), nowhere).unwrap();
            assert_eq!(found.command, r"~\bin");
        }
    }

    #[test]
    fn a_home_folder_that_nothing_names_is_told_with_the_way_out() {
        for (os, missing) in [(Os::Mac, "HOME"), (Os::Windows, "USERPROFILE")] {
            let wanted = settings(Some("~/bin/quotaline"), None);
            let message = command(os, Some(wanted), vec![], nowhere).unwrap_err();
            assert!(message.contains(missing), "{message}");
            assert!(message.contains("lsp.quotaline.binary.path"), "{message}");
        }
    }

    #[test]
    fn own_variables_replace_the_shells_in_any_letter_case_on_windows_alone() {
        let own = || {
            let mut wanted = settings(Some("q"), None);
            wanted.env = Some([("PATH".to_owned(), "mine".to_owned())].into());
            Some(wanted)
        };
        let shell = vec![("Path".to_owned(), "theirs".to_owned())];
        let found = command(Os::Windows, own(), shell.clone(), nowhere).unwrap();
        assert_eq!(found.env, [("PATH".to_owned(), "mine".to_owned())]);
        let found = command(Os::Linux, own(), shell, nowhere).unwrap();
        assert_eq!(found.env.len(), 2);
    }
}
