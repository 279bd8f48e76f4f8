//! Reads a seed and finds every fault of it, not the first.

use domain::Msisdn;
use domain::catalogue::{GroupId, Offering, OfferingId, Provider, ProviderId, ProviderKind};
use domain::group::{GroupRules, ShortNumber};
use domain::limits;
use domain::locale::Localised;
use domain::money::{Money, Period, Price};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::SeedFault;

/// A seed without faults of its own; whether what it names exists, only the store knows.
#[derive(Clone, Default)]
pub(super) struct Seed {
    pub(super) providers: Vec<Provider>,
    pub(super) offerings: Vec<Offering>,
    /// What the groups of each offering are like; `None` for one without groups.
    pub(super) groups: Vec<(OfferingId, Option<GroupRules>)>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) payers: Vec<Payer>,
}

#[derive(Clone)]
pub(super) struct Subscription {
    pub(super) number: Msisdn,
    pub(super) offering: OfferingId,
    pub(super) since: Timestamp,
    pub(super) place: Option<GroupPlace>,
}

/// A place in a short-number group; without a number one is thrown.
#[derive(Clone)]
pub(super) struct GroupPlace {
    pub(super) group: GroupId,
    pub(super) short_number: Option<ShortNumber>,
}

#[derive(Clone)]
pub(super) struct Payer {
    pub(super) number: Msisdn,
    pub(super) barred: bool,
    pub(super) cap_hundredths: Option<i64>,
}

pub(super) fn read(json: &[u8]) -> Result<Seed, Vec<SeedFault>> {
    let whole: Value = serde_json::from_slice(json).map_err(|error| {
        let problem = format!("is not JSON near line {}, column {}", error.line(), error.column());
        vec![SeedFault { place: "$".to_owned(), problem }]
    })?;
    let mut reader = Reader::default();
    let mut seed = Seed::default();
    if let Some(top) = reader.object(&whole, "$", &["providers", "offerings", "subscriptions", "payers"]) {
        seed.providers = reader.list(top, "providers", Reader::provider);
        seed.offerings = reader.list(top, "offerings", Reader::offering);
        seed.groups = reader.list(top, "offerings", Reader::groups);
        seed.subscriptions = reader.list(top, "subscriptions", Reader::subscription);
        seed.payers = reader.list(top, "payers", Reader::payer);
        reader.twice("providers", seed.providers.iter().map(|provider| provider.id.as_str()));
        reader.twice("offerings", seed.offerings.iter().map(|offering| offering.id.as_str()));
    }
    if seed.offerings.len() > limits::count(limits::CATALOGUE_OFFERINGS_MAX) {
        reader.fault("offerings", "are more than a catalogue holds (CATALOGUE_OFFERINGS_MAX)");
    }
    if reader.faults.is_empty() { Ok(seed) } else { Err(reader.faults) }
}

/// Reads values and keeps their faults; a value at fault is `None` and the reading goes on.
#[derive(Default)]
struct Reader {
    faults: Vec<SeedFault>,
}

type Object = Map<String, Value>;

impl Reader {
    fn fault(&mut self, place: &str, problem: impl Into<String>) {
        self.faults.push(SeedFault { place: place.to_owned(), problem: problem.into() });
    }

    fn object<'v>(&mut self, value: &'v Value, place: &str, known: &[&str]) -> Option<&'v Object> {
        let Some(object) = value.as_object() else {
            self.fault(place, "must be an object");
            return None;
        };
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            // A name is the writer's own text and may be anything: it is cut before it is repeated.
            let name: String = name.chars().take(64).collect();
            let name = if name.is_empty() { "\"\"".to_owned() } else { name };
            self.fault(&join(place, &name), "is not a member that a seed has here");
        }
        Some(object)
    }

    fn list<T>(
        &mut self,
        top: &Object,
        name: &str,
        read: impl Fn(&mut Self, &Value, &str) -> Option<T>,
    ) -> Vec<T> {
        match top.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => {
                let place = |index| format!("{name}[{index}]");
                items.iter().enumerate().filter_map(|(index, item)| read(self, item, &place(index))).collect()
            }
            Some(_) => {
                self.fault(name, "must be an array");
                Vec::new()
            }
        }
    }

    fn twice<'v>(&mut self, name: &str, ids: impl Iterator<Item = &'v str>) {
        let mut seen = std::collections::BTreeSet::new();
        for id in ids {
            if !seen.insert(id) {
                self.fault(name, format!("has the id '{id}' twice"));
            }
        }
    }

    fn provider(&mut self, value: &Value, place: &str) -> Option<Provider> {
        let object = self.object(value, place, &["id", "name", "kind", "from", "until"])?;
        let id = self.word(object, place, "id", |text| ProviderId::parse(text).map_err(|e| e.to_string()));
        let kind = self.word(object, place, "kind", |text| {
            ProviderKind::parse(text).ok_or_else(|| "must be own, designated or other".to_owned())
        });
        let name = self.texts(object, place, "name", true);
        let (from, until) = (self.day(object, place, "from"), self.day(object, place, "until"));
        Some(Provider { id: id?, name: name?, kind: kind?, from: from?, until: until? })
    }

    fn offering(&mut self, value: &Value, place: &str) -> Option<Offering> {
        let known = [
            "id",
            "provider",
            "name",
            "price",
            "renews",
            "sensitive",
            "status",
            "terms",
            "how_to_cancel",
            "conflicts_with",
            "group",
        ];
        let object = self.object(value, place, &known)?;
        let id = self.word(object, place, "id", |text| OfferingId::parse(text).map_err(|e| e.to_string()));
        let provider =
            self.word(object, place, "provider", |text| ProviderId::parse(text).map_err(|e| e.to_string()));
        let name = self.texts(object, place, "name", true);
        let price = self.price(object, place);
        let renews = self.truth(object, place, "renews", true);
        let sensitive = self.truth(object, place, "sensitive", false);
        let active = match object.get("status") {
            None => Some(true),
            Some(_) => self.word(object, place, "status", |text| match text {
                "active" => Ok(true),
                "inactive" | "retired" => Ok(false),
                _ => Err("must be active, inactive or retired".to_owned()),
            }),
        };
        let terms = self.texts(object, place, "terms", false);
        let how_to_cancel = self.texts(object, place, "how_to_cancel", false);
        let conflicts_with = self.conflicts(object, place);
        Some(Offering {
            id: id?,
            provider: provider?,
            name: name?,
            price: price?,
            renews: renews?,
            sensitive: sensitive?,
            active: active?,
            terms: terms?,
            how_to_cancel: how_to_cancel?,
            conflicts_with: conflicts_with?,
            version: 0,
        })
    }

    /// What the groups of an offering are like; the rest of it is read elsewhere.
    fn groups(&mut self, value: &Value, place: &str) -> Option<(OfferingId, Option<GroupRules>)> {
        let id = OfferingId::parse(value.get("id")?.as_str()?).ok()?;
        let place = join(place, "group");
        let group = match value.get("group") {
            None | Some(Value::Null) => return Some((id, None)),
            Some(group) => self.object(group, &place, &["digits", "members_max"])?,
        };
        let count = |name: &str| group.get(name).and_then(Value::as_i64);
        let rules = count("digits").zip(count("members_max"));
        match rules.map(|(digits, members_max)| GroupRules::new(digits, members_max)) {
            Some(Ok(rules)) => Some((id, Some(rules))),
            Some(Err(error)) => {
                self.fault(&place, error.to_string());
                None
            }
            None => {
                self.fault(&place, "must have digits and members_max, both numbers");
                None
            }
        }
    }

    fn place(&mut self, object: &Object, place: &str) -> Option<Option<GroupPlace>> {
        let group = match object.get("group") {
            None | Some(Value::Null) if object.get("short_number").is_some() => {
                self.fault(&join(place, "short_number"), "needs a group");
                return None;
            }
            None | Some(Value::Null) => return Some(None),
            Some(_) => {
                self.word(object, place, "group", |text| GroupId::parse(text).map_err(|e| e.to_string()))
            }
        };
        let short_number = match object.get("short_number") {
            None | Some(Value::Null) => Some(None),
            Some(_) => self
                .word(object, place, "short_number", |text| {
                    ShortNumber::parse(text).ok_or_else(|| "must be 3 to 6 digits, the first a 6".to_owned())
                })
                .map(Some),
        };
        Some(Some(GroupPlace { group: group?, short_number: short_number? }))
    }

    fn subscription(&mut self, value: &Value, place: &str) -> Option<Subscription> {
        let object = self.object(value, place, &["number", "offering", "since", "group", "short_number"])?;
        let number = self.number(object, place);
        let offering =
            self.word(object, place, "offering", |text| OfferingId::parse(text).map_err(|e| e.to_string()));
        let since = self.word(object, place, "since", |text| {
            let time = text.parse::<Timestamp>().ok();
            // As it is kept: whole milliseconds.
            let time = time.and_then(|time| Timestamp::from_millisecond(time.as_millisecond()).ok());
            time.ok_or_else(|| "must be a time such as 2026-01-01T00:00:00Z (RFC 3339)".to_owned())
        });
        let place = self.place(object, place);
        Some(Subscription { number: number?, offering: offering?, since: since?, place: place? })
    }

    fn payer(&mut self, value: &Value, place: &str) -> Option<Payer> {
        let object = self.object(value, place, &["number", "barred", "monthly_cap"])?;
        let number = self.number(object, place);
        let barred = self.truth(object, place, "barred", false);
        let cap = match object.get("monthly_cap") {
            None | Some(Value::Null) => Some(None),
            Some(cap) => {
                let place = join(place, "monthly_cap");
                let cap =
                    self.object(cap, &place, &["amount", "currency"]).map(|cap| self.money(cap, &place));
                cap.flatten().map(|money| Some(money.hundredths()))
            }
        };
        Some(Payer { number: number?, barred: barred?, cap_hundredths: cap? })
    }

    fn price(&mut self, object: &Object, place: &str) -> Option<Price> {
        let place = join(place, "price");
        let Some(value) = object.get("price") else {
            self.fault(&place, "is missing");
            return None;
        };
        let price = self.object(value, &place, &["amount", "currency", "period"])?;
        let money = self.money(price, &place);
        let period = self.word(price, &place, "period", |text| {
            Period::parse(text).ok_or_else(|| "must be once, day, week, month or year".to_owned())
        });
        Some(Price { money: money?, period: period? })
    }

    fn money(&mut self, object: &Object, place: &str) -> Option<Money> {
        // Each half is tried against a good other half, so that a fault stands at its own place.
        let amount = self.word(object, place, "amount", |text| match Money::parse(text, "CNY") {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(error.to_string()),
        });
        let currency = self.word(object, place, "currency", |text| match Money::parse("0.00", text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(error.to_string()),
        });
        Money::parse(&amount?, &currency?).ok()
    }

    fn number(&mut self, object: &Object, place: &str) -> Option<Msisdn> {
        self.word(object, place, "number", |text| Msisdn::parse_e164(text).map_err(|error| error.to_string()))
    }

    fn conflicts(&mut self, object: &Object, place: &str) -> Option<Vec<OfferingId>> {
        let place = join(place, "conflicts_with");
        let ids = match object.get("conflicts_with") {
            None | Some(Value::Null) => return Some(Vec::new()),
            Some(Value::Array(ids)) => ids,
            Some(_) => {
                self.fault(&place, "must be an array of offering ids");
                return None;
            }
        };
        let read: Option<Vec<_>> = ids.iter().map(|id| OfferingId::parse(id.as_str()?).ok()).collect();
        if read.is_none() {
            self.fault(&place, "must be an array of offering ids");
        }
        read
    }

    fn word<T>(
        &mut self,
        object: &Object,
        place: &str,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let problem = match object.get(name) {
            None => "is missing".to_owned(),
            Some(Value::String(text)) => match parse(text) {
                Ok(value) => return Some(value),
                Err(problem) => problem,
            },
            Some(_) => "must be a text".to_owned(),
        };
        self.fault(&join(place, name), problem);
        None
    }

    fn truth(&mut self, object: &Object, place: &str, name: &str, absent: bool) -> Option<bool> {
        match object.get(name) {
            None => Some(absent),
            Some(Value::Bool(truth)) => Some(*truth),
            Some(_) => {
                self.fault(&join(place, name), "must be true or false");
                None
            }
        }
    }

    fn day(&mut self, object: &Object, place: &str, name: &str) -> Option<Option<Date>> {
        match object.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(_) => {
                let parse = |text: &str| {
                    text.parse::<Date>().map_err(|_| "must be a day such as 2026-01-01".to_owned())
                };
                self.word(object, place, name, parse).map(Some)
            }
        }
    }

    fn texts(&mut self, object: &Object, place: &str, name: &str, required: bool) -> Option<Localised> {
        let place = join(place, name);
        let texts = match object.get(name) {
            None if required => None,
            None => return Some(Localised::default()),
            Some(value) => value.as_object().and_then(|pairs| {
                let pair = |(tag, text): (&String, &Value)| Some((tag.clone(), text.as_str()?.to_owned()));
                pairs.iter().map(pair).collect::<Option<_>>().map(Localised)
            }),
        };
        let texts = texts.filter(|texts| !required || !texts.is_empty());
        if texts.is_none() {
            self.fault(&place, "must be texts by language, such as {\"en\":\"Ring tones\"}");
        }
        texts
    }
}

fn join(place: &str, name: &str) -> String {
    if place == "$" { name.to_owned() } else { format!("{place}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_with_its_place_and_none_repeats_a_number() {
        let json = r#"{"colour":1,
            "providers":[{"id":"a b","name":{},"kind":"own"},{"id":"p","name":{"en":"P"},"kind":"mine","from":"soon"}],
            "offerings":[{"id":"o","provider":"p","name":{"en":"O"},"price":{"amount":"5","currency":"yuan","period":"month"}},
                         {"id":"o","provider":"p","name":"O","price":{"amount":"5.00","currency":"CNY","period":"month"},"renews":1}],
            "subscriptions":[{"number":"13800138000","offering":"o","since":"now"},7],
            "payers":{}}"#;
        let faults = read(json.as_bytes()).err().unwrap();
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "colour",
                "providers[0].id",
                "providers[0].name",
                "providers[1].kind",
                "providers[1].from",
                "offerings[0].price.amount",
                "offerings[0].price.currency",
                "offerings[1].name",
                "offerings[1].renews",
                "subscriptions[0].number",
                "subscriptions[0].since",
                "subscriptions[1]",
                "payers",
            ]
        );
        assert!(!faults.iter().any(|fault| fault.problem.contains("13800138000")));
    }

    #[test]
    fn no_json_is_one_fault() {
        assert_eq!(read(b"{").err().unwrap().len(), 1);
        assert_eq!(read(b"[]").err().unwrap().len(), 1);
    }
}
