use api::book::{AmendBook, ReplaceBook};
use api::consents::GiveConsent;
use api::registration::ConfirmRegistration;
use api::subscriptions::{Audience, SetShare};
use serde_json::{from_value, json, to_value};

#[test]
fn an_audience_is_a_word_or_a_list() {
    let all: SetShare = from_value(json!({"audience": "matches"})).unwrap();
    let some: SetShare = from_value(json!({"audience": {"only": ["+8613800000001"]}})).unwrap();
    assert_eq!(all.audience, Audience::Matches);
    assert_eq!(some.audience, Audience::Only(vec!["+8613800000001".to_owned()]));
    assert_eq!(to_value(&some).unwrap(), json!({"audience": {"only": ["+8613800000001"]}}));
    assert!(from_value::<SetShare>(json!({"audience": {"all": []}})).is_err());
}

#[test]
fn unknown_fields_of_requests_are_refused() {
    assert!(from_value::<ReplaceBook>(json!({"numbers": [], "names": []})).is_err());
    assert!(from_value::<AmendBook>(json!({"added": []})).is_err());
    assert!(from_value::<ConfirmRegistration>(json!({"code": "1", "x": 1})).is_err());
}

#[test]
fn consents_are_given_by_name_or_with_the_text_shown() {
    let body = json!({"code": "123456", "consents": ["upload", {"consent": "subscriptions", "version": 3}]});
    let body: ConfirmRegistration = from_value(body).unwrap();
    let words: Vec<_> = body.consents.iter().map(|given| (given.consent().word(), given.version())).collect();
    assert_eq!(words, [("upload", None), ("subscriptions", Some("3"))]);
    assert_eq!(from_value::<GiveConsent>(json!({"version": "v1"})).unwrap().version.as_deref(), Some("v1"));
    assert_eq!(from_value::<GiveConsent>(json!({})).unwrap().version, None);
}

#[test]
fn a_whole_number_is_one_however_json_writes_it_and_a_version_has_an_end() {
    let version = |json| from_value::<GiveConsent>(json!({ "version": json })).map(|given| given.version);
    assert_eq!(version(json!(3.0)).unwrap().as_deref(), Some("3"));
    assert_eq!(version(json!("九".repeat(64))).unwrap(), Some("九".repeat(64)));
    for refused in [json!(3.5), json!(-1), json!(1e300), json!("9".repeat(65)), json!([])] {
        assert!(version(refused.clone()).is_err(), "{refused}");
    }
}

#[test]
fn books_and_audiences_do_not_print_numbers() {
    let book = ReplaceBook { numbers: vec!["13800000001".to_owned()], confirm_shrink: false };
    let audience = Audience::Only(book.numbers.clone());
    assert!(!format!("{book:?} {audience:?}").contains("138"));
}
