//! Offerings. Source: TMF620 4.1.0, `ProductOffering`.

use std::collections::BTreeMap;

use domain::catalogue::{self, OfferingId, ProviderId, ProviderKind};
use domain::locale::{Locale, Localised};
use domain::money::Period;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::common::{PricePlan, Unreadable, null_as_default};
use crate::paths;

/// A service that can be ordered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProductOffering {
    /// The id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The name in one language; the others stand under the characteristic `names`.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// `Active` while it can be ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_status: Option<String>,
    /// Goes up whenever anything on the card changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it costs; one.
    #[serde(deserialize_with = "null_as_default")]
    pub product_offering_price: Vec<PricePlan>,
    /// The terms, one entry a language; the name is the language's tag.
    #[serde(deserialize_with = "null_as_default")]
    pub product_offering_term: Vec<Term>,
    /// `names`, `renews`, `sensitive`, `howToCancel`.
    #[serde(deserialize_with = "null_as_default")]
    pub prod_spec_char_value_use: Vec<Characteristic>,
    /// Which offerings nobody can have beside it: `exclusivity`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub product_offering_relationship: Vec<Relationship>,
    /// Who provides it; ours, under `@type` `ProvidedProductOffering`.
    #[serde(deserialize_with = "null_as_default")]
    pub related_party: Vec<Provider>,
    /// The name of this shape.
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The name of the document's shape.
    #[serde(rename = "@baseType", skip_serializing_if = "Option::is_none")]
    pub base_type: Option<String>,
}

/// One of the terms of an offering.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Term {
    /// Ours: the language's tag.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// What it says.
    #[serde(deserialize_with = "null_as_default")]
    pub description: String,
}

/// A property of an offering.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Characteristic {
    /// Which.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// `boolean` or `object`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
    /// Its value; one.
    #[serde(deserialize_with = "null_as_default")]
    pub product_spec_characteristic_value: Vec<CharacteristicValue>,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CharacteristicValue {
    /// A truth value, or texts by language.
    pub value: Value,
}

/// How an offering stands to another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Relationship {
    /// The other offering.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// `exclusivity`: nobody can have both.
    #[serde(deserialize_with = "null_as_default")]
    pub relationship_type: String,
}

/// Who provides an offering: a related party with what the card says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Provider {
    /// The id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// The name in one language.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// `provider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What the id points to.
    #[serde(rename = "@referredType", skip_serializing_if = "Option::is_none")]
    pub referred_type: Option<String>,
    /// Ours: the name by language.
    #[serde(deserialize_with = "null_as_default")]
    pub names: BTreeMap<String, String>,
    /// Ours: `own`, `designated` or `other`, on paper.
    #[serde(deserialize_with = "null_as_default")]
    pub provider_kind: String,
    /// Ours: the first and last day of the designation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Validity>,
}

/// The first and last day of something.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Validity {
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day, included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

const ACTIVE: &str = "Active";
const RETIRED: &str = "Retired";
const EXCLUSIVITY: &str = "exclusivity";

impl ProductOffering {
    /// An offering and its provider as they stand outside.
    pub fn from_domain(offering: &catalogue::Offering, provider: &catalogue::Provider) -> Self {
        let Localised(terms) = &offering.terms;
        Self {
            id: offering.id.to_string(),
            href: Some(format!("{}{}/{}", paths::CATALOGUE, paths::PRODUCT_OFFERING, offering.id)),
            name: offering.name.text(Locale::default()).to_owned(),
            lifecycle_status: Some(if offering.active { ACTIVE } else { RETIRED }.to_owned()),
            version: Some(offering.version.to_string()),
            product_offering_price: vec![PricePlan::from(offering.price)],
            product_offering_term: terms
                .iter()
                .map(|(tag, text)| Term { name: tag.clone(), description: text.clone() })
                .collect(),
            prod_spec_char_value_use: vec![
                Characteristic::object("names", &offering.name),
                Characteristic::object("howToCancel", &offering.how_to_cancel),
                Characteristic::truth("renews", offering.renews),
                Characteristic::truth("sensitive", offering.sensitive),
            ],
            product_offering_relationship: offering
                .conflicts_with
                .iter()
                .map(|id| Relationship { id: id.to_string(), relationship_type: EXCLUSIVITY.to_owned() })
                .collect(),
            related_party: vec![Provider::from_domain(provider)],
            type_name: Some("ProvidedProductOffering".to_owned()),
            base_type: Some("ProductOffering".to_owned()),
        }
    }

    /// The offering and its provider in the words of the domain; members that only we write fall back
    /// to what is safe: a recurring price renews, a provider without a kind is not designated.
    ///
    /// # Errors
    /// [`Unreadable`] names the member.
    pub fn to_domain(&self) -> Result<(catalogue::Offering, catalogue::Provider), Unreadable> {
        let id = OfferingId::parse(&self.id).map_err(|_| Unreadable("id"))?;
        let [price] = self.product_offering_price.as_slice() else {
            return Err(Unreadable("productOfferingPrice"));
        };
        let price = price.to_domain()?;
        let provider = self.related_party.first().ok_or(Unreadable("relatedParty"))?.to_domain()?;
        let status = self.lifecycle_status.as_deref().unwrap_or(ACTIVE);
        let terms =
            self.product_offering_term.iter().map(|term| (term.name.clone(), term.description.clone()));
        let offering = catalogue::Offering {
            id,
            provider: provider.id.clone(),
            name: or_plain(self.texts("names"), &self.name),
            price,
            renews: self.truth("renews").unwrap_or(price.period != Period::Once),
            sensitive: self.truth("sensitive").unwrap_or(false),
            active: status.eq_ignore_ascii_case(ACTIVE) || status.eq_ignore_ascii_case("Launched"),
            terms: Localised(terms.collect()),
            how_to_cancel: self.texts("howToCancel"),
            conflicts_with: self
                .product_offering_relationship
                .iter()
                .filter(|other| other.relationship_type == EXCLUSIVITY)
                .filter_map(|other| OfferingId::parse(&other.id).ok())
                .collect(),
            version: self.version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0),
        };
        Ok((offering, provider))
    }

    /// Whether an offering with this status can be ordered; `None` for a word that we never write.
    pub fn read_status(word: &str) -> Option<bool> {
        [(ACTIVE, true), (RETIRED, false)]
            .into_iter()
            .find(|(known, _)| *known == word)
            .map(|(_, active)| active)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let found = self.prod_spec_char_value_use.iter().find(|c| c.name == name)?;
        found.product_spec_characteristic_value.first().map(|v| &v.value)
    }

    fn truth(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    fn texts(&self, name: &str) -> Localised {
        let object = self.value(name).and_then(Value::as_object);
        let pairs = object.into_iter().flatten();
        Localised(pairs.filter_map(|(tag, text)| Some((tag.clone(), text.as_str()?.to_owned()))).collect())
    }
}

impl Characteristic {
    fn of(name: &str, value_type: &str, value: Value) -> Self {
        Self {
            name: name.to_owned(),
            value_type: Some(value_type.to_owned()),
            product_spec_characteristic_value: vec![CharacteristicValue { value }],
        }
    }

    fn truth(name: &str, value: bool) -> Self {
        Self::of(name, "boolean", Value::Bool(value))
    }

    fn object(name: &str, Localised(texts): &Localised) -> Self {
        let pairs = texts.iter().map(|(tag, text)| (tag.clone(), Value::String(text.clone())));
        Self::of(name, "object", Value::Object(pairs.collect()))
    }
}

impl Provider {
    fn from_domain(provider: &catalogue::Provider) -> Self {
        let Localised(names) = &provider.name;
        let dated = provider.from.is_some() || provider.until.is_some();
        Self {
            id: provider.id.to_string(),
            name: provider.name.text(Locale::default()).to_owned(),
            role: Some("provider".to_owned()),
            referred_type: Some("Organization".to_owned()),
            names: names.clone(),
            provider_kind: provider.kind.word().to_owned(),
            valid_for: dated.then_some(Validity { from: provider.from, until: provider.until }),
        }
    }

    fn to_domain(&self) -> Result<catalogue::Provider, Unreadable> {
        let validity = self.valid_for.clone().unwrap_or_default();
        Ok(catalogue::Provider {
            id: ProviderId::parse(&self.id).map_err(|_| Unreadable("relatedParty"))?,
            name: or_plain(Localised(self.names.clone()), &self.name),
            kind: ProviderKind::parse(&self.provider_kind).unwrap_or(ProviderKind::Other),
            from: validity.from,
            until: validity.until,
        })
    }
}

/// Texts by language, or the plain one, which then stands for every language.
fn or_plain(texts: Localised, plain: &str) -> Localised {
    if texts.is_empty() { Localised([("en".to_owned(), plain.to_owned())].into()) } else { texts }
}

#[cfg(test)]
mod tests {
    use domain::money::{Money, Price};

    use super::*;

    fn words(chinese: &str, english: &str) -> Localised {
        Localised([("zh-CN".to_owned(), chinese.to_owned()), ("en".to_owned(), english.to_owned())].into())
    }

    #[test]
    fn an_offering_comes_back_as_it_went() {
        let provider = catalogue::Provider {
            id: ProviderId::parse("xx").unwrap(),
            name: words("XX科技", "XX Tech"),
            kind: ProviderKind::Designated,
            from: Some(jiff::civil::date(2026, 1, 1)),
            until: None,
        };
        let offering = catalogue::Offering {
            id: OfferingId::parse("crbt").unwrap(),
            provider: provider.id.clone(),
            name: words("彩铃包月", "Ring tones"),
            price: Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month },
            renews: false,
            sensitive: true,
            active: true,
            terms: words("条款", "terms"),
            how_to_cancel: words("发TD", "text TD"),
            conflicts_with: vec![OfferingId::parse("rival").unwrap()],
            version: 7,
        };
        let json = serde_json::to_string(&ProductOffering::from_domain(&offering, &provider)).unwrap();
        let back: ProductOffering = serde_json::from_str(&json).unwrap();
        assert_eq!(back.to_domain(), Ok((offering, provider)));
    }

    #[test]
    fn another_platforms_offering_is_read_with_what_it_has() {
        let json = r#"{"id":"x","name":"News","lifecycleStatus":"Launched","isBundle":false,"place":null,
            "relatedParty":[{"id":"sp","name":"SP"}],"productOfferingTerm":null,
            "productOfferingPrice":[{"recurringChargePeriod":"monthly","price":{"taxIncludedAmount":{"unit":"CNY","value":3}}}]}"#;
        let (offering, provider) =
            serde_json::from_str::<ProductOffering>(json).unwrap().to_domain().unwrap();
        assert!(offering.active && offering.renews && !offering.sensitive);
        assert_eq!(offering.name.text(Locale::Chinese), "News");
        assert_eq!(provider.kind, ProviderKind::Other);
    }
}
