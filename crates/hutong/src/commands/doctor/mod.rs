//! `hutong doctor`: what is wrong with this installation, why it matters, and how to mend it.
//!
//! It looks and changes nothing, beside a running server or without one.

mod files;
mod network;
mod settings;
mod stored;

use std::io::Write;

use domain::world::World;
use serde::Serialize;

use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Weight {
    /// As it should be.
    Fine,
    /// Worth knowing; nothing must be mended now.
    Advice,
    /// Must be mended.
    Wrong,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Its name, which stays the same: for programs, and for looking it up.
    pub(super) check: &'static str,
    pub(super) weight: Weight,
    /// What there is.
    pub(super) what: String,
    /// Why that matters.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) why: &'static str,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) mend: String,
}

impl Finding {
    pub(super) fn fine(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, weight: Weight::Fine, what: what.into(), why: "", mend: String::new() }
    }

    pub(super) fn wrong(
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, weight: Weight::Wrong, what: what.into(), why, mend: mend.into() }
    }

    pub(super) fn advice(
        check: &'static str,
        what: impl Into<String>,
        why: &'static str,
        mend: impl Into<String>,
    ) -> Self {
        Self { weight: Weight::Advice, ..Self::wrong(check, what, why, mend) }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    fine: bool,
    findings: &'a [Finding],
}

/// Looks at everything and says what it found.
///
/// # Errors
/// A [`Failure`] without a word when something must be mended.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let findings = match Config::load(&args.config) {
        Ok(config) => examine(&config, &crate::world::system()).await,
        // Nothing else can be looked at: where everything is, the configuration says.
        Err(failure) if args.json => vec![Finding::wrong(
            "configuration",
            failure.sentence(),
            "the servers do not start with it",
            failure.remedy(),
        )],
        Err(failure) => return Err(failure),
    };
    let fine = findings.iter().all(|finding| finding.weight != Weight::Wrong);
    let text = if args.json {
        serde_json::to_string_pretty(&Report { fine, findings: &findings }).unwrap_or_default() + "\n"
    } else {
        findings.iter().map(line).collect()
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    if fine { Ok(()) } else { Err(Failure::told()) }
}

async fn examine(config: &Config, world: &World) -> Vec<Finding> {
    let mut findings = vec![Finding::fine("configuration", "it can be read")];
    findings.extend(settings::look(config));
    findings.extend(files::look(config));
    findings.extend(network::look(config).await);
    findings.extend(stored::look(config, world).await);
    findings
}

fn line(finding: &Finding) -> String {
    let Finding { check, weight, what, why, mend } = finding;
    match weight {
        Weight::Fine => format!("ok      {check}: {what}\n"),
        Weight::Advice => format!("advice  {check}: {what}\n        why: {why}\n        do:  {mend}\n"),
        Weight::Wrong => format!("WRONG   {check}: {what}\n        why: {why}\n        do:  {mend}\n"),
    }
}
