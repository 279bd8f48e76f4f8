//! People, the parts they play, and what they agreed to; read only. Source: TMF632, TMF669 and TMF644 4.0.0.

use domain::Msisdn;
use domain::catalogue::Provider;
use domain::consent::Consent;
use domain::locale::Locale;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::paths;

/// A person: known by their number, of whom nothing else is known but the language.
pub fn individual(number: Msisdn, locale: Locale) -> Value {
    let id = number.e164();
    json!({
        "id": id,
        "href": format!("{}{}/{id}", paths::PARTY, paths::INDIVIDUAL),
        "contactMedium": [{"mediumType": "phone", "characteristic": {"contactType": "mobile", "phoneNumber": id}}],
        "languageAbility": [{"languageCode": locale.tag(), "isFavouriteLanguage": true}],
        "@type": "Individual",
    })
}

/// The part of a person who orders.
pub fn customer(number: Msisdn) -> Value {
    let party = number.e164();
    role(&format!("customer:{party}"), "customer", "Individual", &party, None)
}

/// The part of a company that provides.
pub fn provider(provider: &Provider) -> Value {
    let name = provider.name.text(Locale::default());
    let id = format!("provider:{}", provider.id);
    let mut role = role(&id, "provider", "Organization", provider.id.as_str(), Some(name));
    role["characteristic"] = json!([{"name": "kind", "valueType": "string", "value": provider.kind.word()}]);
    role
}

fn role(id: &str, name: &str, referred: &str, party: &str, party_name: Option<&str>) -> Value {
    let mut engaged = json!({"id": party, "@referredType": referred});
    if let Some(name) = party_name {
        engaged["name"] = json!(name);
    }
    json!({
        "id": id,
        "href": format!("{}{}/{id}", paths::PARTY_ROLE, paths::PARTY_ROLE_RESOURCE),
        "name": name,
        "engagedParty": engaged,
        "@type": "PartyRole",
    })
}

/// The id of a consent that somebody gave.
pub fn agreement_id(number: Msisdn, consent: Consent) -> String {
    format!("{}:{}", number.e164(), consent.word())
}

/// A consent in force.
pub fn agreement(number: Msisdn, consent: Consent, version: &str, given: Timestamp) -> Value {
    let id = agreement_id(number, consent);
    json!({
        "href": format!("{}{}/{id}", paths::PRIVACY, paths::PARTY_PRIVACY_AGREEMENT),
        "id": id,
        "name": consent.word(),
        "agreementType": "consent",
        "status": "inForce",
        "version": version,
        "initialDate": given.to_string(),
        "agreementItem": [{"termOrCondition": [{"id": consent.word(), "description": version}]}],
        "engagedPartyRole": [{"id": number.e164(), "role": "customer", "@referredType": "Individual"}],
        "@type": "PartyPrivacyAgreement",
    })
}
