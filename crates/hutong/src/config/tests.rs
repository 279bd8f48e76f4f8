use std::io::Write;

use super::*;
use secrecy::ExposeSecret;

fn load(toml: &str, variables: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Config, String> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    let given = flags.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
    let args = ConfigArgs { file: Some(file.path().display().to_string()), given };
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let figment = sources::gather(&args, variables).map_err(|failure| format!("{failure:?}"))?;
    Config::from_figment(&figment).map_err(|failure| format!("{failure:?}"))
}

#[test]
fn an_empty_file_gives_a_configuration_that_serves_a_first_run() {
    let config = load("", &[], &[]).unwrap();
    assert_eq!(config.listen.port(), 8080);
    assert_eq!(config.roles.len(), 5);
    assert_eq!(config.sms.sender, "10690001");
    assert_eq!(config.confirmation.time_limit_s, 86_400);
    assert!(config.key_file().ends_with("hutong-data.key"));
}

#[test]
fn flags_go_before_variables_and_variables_before_the_file() {
    let toml = "[sms]\nport = 1\nhost = \"a\"\nsystem_id = \"file\"\n";
    let variables = [("HUTONG_SMS__PORT", "2"), ("HUTONG_SMS__HOST", "b"), ("HUTONG_TEST_POSTGRES", "x")];
    let config = load(toml, &variables, &[("sms.port", "3")]).unwrap();
    assert_eq!((config.sms.port, config.sms.host.as_str(), config.sms.system_id.as_str()), (3, "b", "file"));
}

#[test]
fn every_limit_of_signing_in_is_configured_and_defaults_to_the_table() {
    let config = load("", &[], &[]).unwrap();
    assert_eq!(config.registration.limits(), SignInLimits::default());
    assert!(config.trusted_proxies.is_empty());
    let toml = "trusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]\n[registration]\ncode_life_s = 120\n\
                tries_per_code = 3\ntexts_per_number_minute = 2\ntexts_per_number_hour = 4\n\
                texts_per_number_day = 6\ntexts_per_address_hour = 7\ntexts_per_hour = 8\n\
                wrong_codes_per_number_day = 9\nwrong_codes_per_address_hour = 10\nwrong_codes_per_hour = 11\nexempt_loopback = false\n";
    let config = load(toml, &[], &[]).unwrap();
    let expected = SignInLimits {
        code_life_s: 120,
        tries_per_code: 3,
        texts_per_number_minute: 2,
        texts_per_number_hour: 4,
        texts_per_number_day: 6,
        texts_per_address_hour: 7,
        texts_per_hour: 8,
        wrong_codes_per_number_day: 9,
        wrong_codes_per_address_hour: 10,
        wrong_codes_per_hour: 11,
        exempt_loopback: false,
    };
    assert_eq!(config.registration.limits(), expected);
    assert_eq!(config.trusted_proxies.len(), 2);
}

#[test]
fn a_text_that_looks_like_a_number_stays_a_text() {
    let variables = [("HUTONG_SMS__PASSWORD", "00123"), ("HUTONG_SMS__SENDER", "0106")];
    let config = load("", &variables, &[]).unwrap();
    assert_eq!((config.sms.password.expose_secret(), config.sms.sender.as_str()), ("00123", "0106"));
}

#[test]
fn lists_are_separated_by_commas_and_repeats_are_dropped() {
    let config = load("", &[("HUTONG_ROLES", "sms, contacts,sms")], &[]).unwrap();
    assert_eq!(config.roles, [Role::Sms, Role::Contacts]);
    assert!(config.has(Role::Sms) && !config.has(Role::Web));
}

#[test]
fn an_unknown_key_is_refused_by_its_whole_name() {
    for (toml, name) in
        [("lisen = \"x\"", "`lisen`"), ("[sms]\nprt = 1", "`sms.prt`"), ("[smms]\nport = 1", "`smms`")]
    {
        let failure = load(toml, &[], &[]).unwrap_err();
        assert!(failure.contains(name) && failure.contains(".toml"), "{failure}");
    }
    let failure = load("", &[("HUTONG_SMS_PORT", "1")], &[]).unwrap_err();
    assert!(failure.contains("HUTONG_SMS_PORT") && failure.contains("HUTONG_SMS__PORT"), "{failure}");
}

#[test]
fn a_bad_value_is_refused_with_its_key_its_place_and_what_to_write() {
    let failure = load("", &[("HUTONG_SMS__PORT", "70000")], &[]).unwrap_err();
    assert!(failure.contains("`sms.port` from environment variable HUTONG_SMS__PORT"), "{failure}");
    assert!(failure.contains("such as 2775"), "{failure}");
    for (path, text) in [
        ("listen", "8080"),
        ("roles", "contact"),
        ("roles", ""),
        ("default_region", "ZZ"),
        ("registration.prefixes", "86"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("registration.code_life_s", "30"),
        ("registration.tries_per_code", "0"),
        ("registration.texts_per_number_minute", "0"),
        ("registration.texts_per_address_hour", "-1"),
        ("registration.texts_per_hour", "none"),
        ("registration.wrong_codes_per_number_day", "21"),
        ("registration.exempt_loopback", "no"),
        ("book.new_numbers_at_once", "4999"),
        ("book.new_numbers_per_hour", "0"),
        ("sms.system_id", "longer than fifteen"),
        ("sms.sender", "+8610690001"),
        ("sms.binds", "sender"),
        ("sms.window", "0"),
        ("sms.version", "3.3"),
        ("sms.receipt_ids", "octal"),
        ("sms.answer_s", "0"),
        ("sms.also_ours", "longer than any address"),
        ("platform.url", "platform.example"),
        ("platform.timeout_s", "21"),
        ("platform.callback_url", "exchange.example"),
        ("platform.open_on_loopback", "yes"),
        ("platform.private_callbacks", "yes"),
        ("confirmation.time_limit_s", "0"),
        ("confirmation.attempts", "-1"),
    ] {
        let failure = load("", &[], &[(path, text)]).unwrap_err();
        assert!(failure.contains(&format!("`{path}` from flag --")), "{path}: {failure}");
    }
}

#[test]
fn a_secret_is_in_no_error_and_in_no_debug_text() {
    let toml = "database = \"postgres://u:hush9@h/n\"\n[sms]\npassword = \"hush9\"\n\
                [platform]\noperator_tokens = [\"hush9-hush9-hush9\"]";
    let config = load(toml, &[], &[]).unwrap();
    assert!(!format!("{config:?}").contains("hush9"));
    for toml in [
        "database = \"mysql://u:hush9@h/n\"",
        "[sms]\npassword = \"hush9-is-too-long\"",
        "[sms]\npassword = [\"hush9\"]",
        "[[sms.centres]]\npassword = \"hush9-is-too-long\"",
        "[[sms.centres]]\npassword = \"hush9\"\nport = 0",
        "[[sms.centres]]\npassword = \"hush9\"\nprt = 1",
        "[sms]\npassword = hush9",
        "[platform]\noperator_tokens = [\"hush9\"]",
        "[platform]\noperator_tokens = \"hush9\"",
    ] {
        let failure = load(toml, &[], &[]).unwrap_err();
        assert!(!failure.contains("hush9"), "{failure}");
    }
}

#[test]
fn every_key_of_the_table_is_a_key_of_the_configuration() {
    for key in keys::KEYS {
        // A list of one list fits no key, so the answer must complain about this key and no unknown one.
        let failure = load("", &[(&key.variable(), "\u{0}")], &[]);
        let text = format!("{failure:?}");
        assert!(!text.contains("is no setting"), "{}: {text}", key.path);
        assert_eq!(key.flag, key.path.replace(['.', '_'], "-"));
    }
}

#[test]
fn a_configuration_file_that_is_named_must_be_there() {
    let args = ConfigArgs { file: Some("no-such.toml".to_owned()), given: Vec::new() };
    let failure = sources::gather(&args, std::iter::empty()).unwrap_err();
    assert!(format!("{failure:?}").contains("no-such.toml is not there"));
}

#[test]
fn several_centres_and_binds_are_read_each_with_its_own_settings() {
    let toml = "[sms]\nhost = \"a\"\nbinds = [\"transmitter\", \"receiver\"]\nalso_ours = [\"10086\"]\n\
                [[sms.centres]]\nhost = \"b\"\nversion = \"5.0\"\nanswer_ids = \"hex\"\nrate_per_s = 20\n";
    let links = load(toml, &[], &[]).unwrap().sms.links(Region::CN).unwrap();
    assert_eq!(links.also_ours, ["10086"]);
    let [first, second] = &links.centres[..] else { panic!("{} centres", links.centres.len()) };
    assert_eq!((first.bind.host.as_str(), first.binds.len(), first.bind.rate_per_s), ("a", 2, 0));
    assert_eq!((second.bind.host.as_str(), second.binds.len(), second.bind.rate_per_s), ("b", 1, 20));
    assert_eq!((first.bind.version, second.bind.version), (smpp::Version::V3_4, smpp::Version::V5_0));
    let failure = load("[sms]\ntls = true\ntls_authority = \"no-such.pem\"", &[], &[]).unwrap();
    assert!(failure.sms.links(Region::CN).is_err());
}

#[test]
fn providers_are_read_from_tables_and_from_a_flag_and_no_token_is_repeated() {
    let toml = "[[provisioning.providers]]\nprovider = \"xx\"\nurl = \"https://xx.example\"\ntoken = \"hush9\"\ntimeout_s = 9\n\
                [[provisioning.providers]]\nprovider = \"yy\"\nurl = \"http://yy.example/sp\"\n";
    let config = load(toml, &[], &[]).unwrap();
    let [xx, yy] = &config.provisioning.providers[..] else { panic!("{:?}", config.provisioning) };
    assert_eq!((xx.provider.as_str(), xx.url.as_str(), xx.timeout_s), ("xx", "https://xx.example", 9));
    assert_eq!(xx.token.as_ref().map(ExposeSecret::expose_secret), Some("hush9"));
    assert_eq!((yy.provider.as_str(), yy.timeout_s, yy.token.is_none()), ("yy", 5, true));
    assert!(!format!("{config:?}").contains("hush9"));
    let flag = [("provisioning.providers", "zz==https://zz.example/?a=b,xx=hush9=http://xx.example")];
    let providers = load(toml, &[], &flag).unwrap().provisioning.providers;
    assert_eq!((providers.len(), providers[0].url.as_str()), (2, "https://zz.example/?a=b"));
    let table =
        |more: &str| format!("[[provisioning.providers]]\nprovider = \"xx\"\ntoken = \"hush9\"\n{more}\n");
    let wrong = [
        table(""),
        table("url = \"xx.example\""),
        table("url = \"https://xx.example\"\ntimeout_s = 11"),
        table("url = \"https://xx.example\"\ntimeout = 1"),
        table("url = \"https://a.example\"") + &table("url = \"https://b.example\""),
        "[provisioning]\nproviders = [\"xx=hush9\"]".to_owned(),
        "[provisioning]\nproviders = [\"x x=hush9=https://xx.example\"]".to_owned(),
    ];
    for toml in wrong {
        let failure = load(&toml, &[], &[]).unwrap_err();
        assert!(failure.contains("provisioning") && !failure.contains("hush9"), "{failure}");
    }
}

#[test]
fn other_processes_have_http_addresses() {
    let config =
        load("[peers]\ncontacts = \"http://a:1\"\n", &[("HUTONG_PEERS__EXCHANGE", "https://b")], &[]);
    let peers = config.unwrap().peers;
    assert_eq!(
        (peers.contacts.as_deref(), peers.exchange.as_deref()),
        (Some("http://a:1"), Some("https://b"))
    );
    let refused = load("[peers]\nexchange = \"b:1\"\n", &[], &[]).unwrap_err();
    assert!(refused.contains("peers.exchange"), "{refused}");
}
