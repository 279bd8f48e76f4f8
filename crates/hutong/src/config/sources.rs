//! Where settings come from: a file, then the environment, then flags; each with a name for errors.

use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};

use super::keys::{self, ConfigArgs, KEYS, Key};
use crate::failure::Failure;

/// What settings in the environment begin with.
const PREFIX: &str = "HUTONG_";

/// Variables with this beginning belong to the tests.
const TEST_PREFIX: &str = "HUTONG_TEST_";

/// Variables that are no settings of a server: the configuration file's name, the log, the terminal's own.
const OTHERS: &[&str] =
    &["HUTONG_CONFIG", "HUTONG_LOG", "HUTONG_LOG_FORMAT", "HUTONG_SERVER", "HUTONG_TERMINAL_STATE"];

/// The file that is read when none is named.
const FILE_DEFAULT: &str = "hutong.toml";

/// One setting from one place.
struct Setting {
    place: String,
    key: &'static Key,
    text: String,
}

impl Provider for Setting {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.place.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(self.key.path, self.key.value_of(&self.text));
        let dict = nested.into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// Puts the sources upon one another; `variables` is the environment.
///
/// # Errors
/// A [`Failure`] when a file that was named is not there, or a variable has the name of no setting.
pub(super) fn gather(
    args: &ConfigArgs,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Figment, Failure> {
    let mut figment = match &args.file {
        Some(file) if !Path::new(file).is_file() => {
            return Err(Failure::user(format!("the configuration file {file} is not there"))
                .hint("Check the path, or leave --config out to start with the defaults."));
        }
        Some(file) => Figment::from(Toml::file_exact(file)),
        None if Path::new(FILE_DEFAULT).is_file() => Figment::from(Toml::file_exact(FILE_DEFAULT)),
        None => Figment::new(),
    };
    for (name, text) in variables.filter(|(name, _)| is_setting(name)) {
        let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
            return Err(Failure::user(format!("the environment variable {name} is no setting of Hutong"))
                .hint(format!("Unset it, or use one of {}.", all(Key::variable))));
        };
        figment = figment.merge(Setting { place: format!("environment variable {name}"), key, text });
    }
    for (path, text) in &args.given {
        if let Some(key) = keys::find(path) {
            let place = format!("flag --{}", key.flag);
            figment = figment.merge(Setting { place, key, text: text.clone() });
        }
    }
    Ok(figment)
}

fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX) && !OTHERS.contains(&name)
}

/// Every setting's name, as `name` forms it, for a hint.
fn all(name: impl Fn(&Key) -> String) -> String {
    KEYS.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Says in one sentence each what is wrong with a setting, where it stands, and what to write.
pub(super) fn explain(error: &figment::Error) -> Failure {
    use figment::error::Kind;

    let place = error.metadata.as_ref().map(name_of).unwrap_or_default();
    let mut path = error.path.clone();
    let cause = match &error.kind {
        Kind::UnknownField(field, _) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            return Failure::user(format!("the key `{}`{place} is no setting of Hutong", path.join(".")))
                .hint(format!("Remove or correct it; the keys are {}.", all(|key| key.path.to_owned())));
        }
        Kind::Message(message) if path.is_empty() => {
            return Failure::user(format!("the configuration{place} cannot be read"))
                .because_of(without_source_lines(message))
                .hint("Write it as TOML, such as: listen = \"127.0.0.1:8080\"");
        }
        Kind::UnknownVariant(_, _) => "this is not one of them".to_owned(),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("{expected} is expected"),
        Kind::Message(message) => message.clone(),
        other => other.to_string(),
    };
    let path = path.into_iter().filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join(".");
    refuse(&path, &place, cause)
}

/// The failure of one setting.
pub(super) fn refuse(path: &str, place: &str, cause: impl Into<String>) -> Failure {
    let failure = Failure::user(format!("the setting `{path}`{place} cannot be used"));
    match keys::find(path) {
        // What a library says about a secret may repeat it.
        Some(key) if key.secret => failure.hint(format!("Write {}.", key.want)),
        Some(key) => failure.because_of(cause).hint(format!("Write {}.", key.want)),
        None => failure.because_of(cause).hint("Compare it with the example in the README."),
    }
}

/// ` in hutong.toml`, ` from flag --listen`.
pub(super) fn name_of(metadata: &Metadata) -> String {
    match &metadata.source {
        Some(figment::Source::File(path)) => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            format!(" in {name}")
        }
        _ => format!(" from {}", metadata.name),
    }
}

/// A TOML error without the quoted line, since a password may stand on it.
fn without_source_lines(message: &str) -> String {
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let spoken = lines
        .filter(|line| !line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|'));
    spoken.collect::<Vec<_>>().join(": ")
}
