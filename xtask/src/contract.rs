//! The contract, tried from outside: Schemathesis reads `/openapi.json` and the TM Forum documents, and calls everything
//! that stands in them.

use std::path::{Path, PathBuf};

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
[platform]
operator_tokens = [\"the-contracts-own-token\"]
";

/// One of the operator's tokens in those settings.
const TOKEN: &str = "the-contracts-own-token";

/// The TM Forum documents that are tried, with the path that each stands under, and how many examples a call.
const DOCUMENTS: [(&str, &str); 4] = [
    ("TMF620-ProductCatalog-v4.1.0.swagger.json", "/tmf-api/productCatalogManagement/v4"),
    ("TMF622-ProductOrder-v4.0.0.swagger.json", "/tmf-api/productOrderingManagement/v4"),
    ("TMF637-ProductInventory-v4.0.0.swagger.json", "/tmf-api/productInventory/v4"),
    ("TMF681-Communication-v4.0.0.swagger.json", "/tmf-api/communicationManagement/v4"),
];
const DOCUMENT_EXAMPLES: &str = "50";

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
        // One seed, one run: what is drawn hangs on the order of sets too.
        .with("PYTHONHASHSEED", "0")
        .with("HUTONG_API", &house.api)
        .with("HUTONG_SMS_CONTROL", &house.sms_control)
        .run()?;
    documents(root, &house, &programs, &seed)
}

/// Tries the platform's faces as their documents declare them.
fn documents(root: &Path, house: &House, programs: &Path, seed: &str) -> Result<(), Failed> {
    let shared: PathBuf = root.join("../shared/data/specs/tmforum");
    if !shared.exists() {
        if std::env::var_os("CI").is_some() {
            return Err(Failed::new(format!("{} is missing: the faces are not tried", shared.display())));
        }
        println!("the TM Forum documents are not beside the workspace: the platform's faces are not tried");
        return Ok(());
    }
    let files = root.join("xtask").join("contract");
    for (document, base) in DOCUMENTS {
        let (config, document) = (files.join("tmforum.toml"), shared.join(document));
        let (config, document) = (config.to_string_lossy(), document.to_string_lossy());
        let url = format!("{}{base}", house.api);
        let arguments = [
            "--no-color",
            "--config-file",
            &config,
            "run",
            &document,
            "--url",
            &url,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            DOCUMENT_EXAMPLES,
            "--seed",
            seed,
        ];
        program(programs.join("schemathesis"), &arguments)
            .inside(house.directory())
            .with("PYTHONPATH", &files.to_string_lossy())
            .with("PYTHONDONTWRITEBYTECODE", "1")
            // One seed, one run: what is drawn hangs on the order of sets too.
            .with("PYTHONHASHSEED", "0")
            .with("HUTONG_API", &house.api)
            .with("HUTONG_OPERATOR_TOKEN", TOKEN)
            .run()?;
    }
    Ok(())
}
