//! The contract, tried from outside: Schemathesis reads `/openapi.json` and calls everything that stands in it.

use std::path::Path;

use crate::house::{self, House};
use crate::python;
use crate::run::{Failed, program};

/// Settings of the house under trial.
///
/// Everything comes from one address here, and signs in far more often than people do.
const SETTINGS: &str = "[registration]
texts_per_number_minute = 1000
texts_per_number_hour = 1000
texts_per_number_day = 1000
texts_per_hour = 1000000
exempt_loopback = true
";

/// Tries the contract with so many examples a call, from one seed.
pub(crate) fn run(root: &Path, examples: u32, seed: u64) -> Result<(), Failed> {
    let files = root.join("xtask").join("contract");
    let programs = python::environment(&house::target(root), "python", &files.join("requirements.txt"))?;
    let binary = house::binary(root)?;
    let seeds = [root.join("examples").join("catalogue.json"), files.join("subscriptions.json")];
    let house = House::start(&binary, SETTINGS, &seeds)?;
    let (examples, seed) = (examples.to_string(), seed.to_string());
    let (config, document) = (files.join("schemathesis.toml"), format!("{}/openapi.json", house.api));
    let arguments = [
        "--no-color",
        "--config-file",
        &config.to_string_lossy(),
        "run",
        &document,
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--max-examples",
        &examples,
        "--seed",
        &seed,
    ];
    program(programs.join("schemathesis"), &arguments)
        // What it writes down on the side goes with the house.
        .inside(house.directory())
        .with("PYTHONPATH", &files.to_string_lossy())
        .with("PYTHONDONTWRITEBYTECODE", "1")
        .with("HUTONG_API", &house.api)
        .with("HUTONG_SMS_CONTROL", &house.sms_control)
        .run()
}
