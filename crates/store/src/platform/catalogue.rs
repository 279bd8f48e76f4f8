//! Providers and offerings.

use domain::catalogue::{Offering, OfferingId, Provider, ProviderId, ProviderKind};
use domain::locale::Localised;
use domain::money::{Money, Period, Price};
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{PlatformTx, PlatformView};
use crate::error::{Kind, StoreError};
use crate::sql::{Row, params};

/// What writing a catalogue entry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogueChange {
    /// It was there already, word for word.
    Same,
    /// It is new.
    Added,
    /// It has changed.
    Changed,
}

impl PlatformTx<'_> {
    /// Writes a provider.
    ///
    /// # Errors
    /// The store's.
    pub fn put_provider(&mut self, provider: &Provider) -> Result<CatalogueChange, StoreError> {
        let old = self.view.find_provider(&provider.id)?;
        if old.as_ref() == Some(provider) {
            return Ok(CatalogueChange::Same);
        }
        self.view.sql.execute(
            "INSERT INTO catalogue_provider (id, kind, name, from_day, until_day) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
               from_day = excluded.from_day, until_day = excluded.until_day",
            params![
                provider.id.as_str(),
                provider.kind.word(),
                write_json(&provider.name)?,
                provider.from.map(|day| day.to_string()),
                provider.until.map(|day| day.to_string()),
            ],
        )?;
        Ok(change(old.is_some()))
    }

    /// Writes an offering; its version goes up by one when anything else has changed, whatever version
    /// the given one carries.
    ///
    /// # Errors
    /// The store's.
    pub fn put_offering(&mut self, offering: &Offering) -> Result<CatalogueChange, StoreError> {
        let old = self.view.find_offering(&offering.id)?.map(|(old, _)| old);
        let version = old.as_ref().map_or(0, |old| old.version);
        if old == Some(Offering { version, ..offering.clone() }) {
            return Ok(CatalogueChange::Same);
        }
        self.view.sql.execute(
            "INSERT INTO catalogue_offering (id, provider, name, hundredths, currency, period, renews, sensitive,
               active, terms, how_to_cancel, conflicts, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, name = excluded.name,
               hundredths = excluded.hundredths, currency = excluded.currency, period = excluded.period,
               renews = excluded.renews, sensitive = excluded.sensitive, active = excluded.active,
               terms = excluded.terms, how_to_cancel = excluded.how_to_cancel, conflicts = excluded.conflicts,
               version = excluded.version",
            params![
                offering.id.as_str(),
                offering.provider.as_str(),
                write_json(&offering.name)?,
                offering.price.money.hundredths(),
                offering.price.money.currency(),
                offering.price.period.word(),
                offering.renews,
                offering.sensitive,
                offering.active,
                write_json(&offering.terms)?,
                write_json(&offering.how_to_cancel)?,
                write_json(&offering.conflicts_with)?,
                version + 1,
            ],
        )?;
        Ok(change(version > 0))
    }
}

/// Offerings beside their providers, for every query that reads them.
macro_rules! offerings {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.provider, o.name, o.hundredths, o.currency, o.period, o.renews, o.sensitive, o.active,
               o.terms, o.how_to_cancel, o.conflicts, o.version, p.id, p.kind, p.name, p.from_day, p.until_day
             FROM catalogue_offering o JOIN catalogue_provider p ON p.id = o.provider ",
            $rest
        )
    };
}

impl PlatformView<'_> {
    /// A provider.
    ///
    /// # Errors
    /// The store's.
    pub fn find_provider(&mut self, id: &ProviderId) -> Result<Option<Provider>, StoreError> {
        let row = self.sql.query_one(
            "SELECT id, kind, name, from_day, until_day FROM catalogue_provider WHERE id = $1",
            params![id.as_str()],
        )?;
        row.map(|row| read_provider(&row, 0)).transpose()
    }

    /// An offering and its provider.
    ///
    /// # Errors
    /// The store's.
    pub fn find_offering(&mut self, id: &OfferingId) -> Result<Option<(Offering, Provider)>, StoreError> {
        let row = self.sql.query_one(offerings!("WHERE o.id = $1"), params![id.as_str()])?;
        row.map(|row| read_offering(&row)).transpose()
    }

    /// Every provider, by id.
    ///
    /// # Errors
    /// The store's.
    pub fn list_providers(&mut self) -> Result<Vec<Provider>, StoreError> {
        let rows = self
            .sql
            .query("SELECT id, kind, name, from_day, until_day FROM catalogue_provider ORDER BY id", &[])?;
        rows.iter().map(|row| read_provider(row, 0)).collect()
    }

    /// Every offering of a provider, by id.
    ///
    /// # Errors
    /// The store's.
    pub fn list_offerings_of(
        &mut self,
        provider: &ProviderId,
    ) -> Result<Vec<(Offering, Provider)>, StoreError> {
        let rows =
            self.sql.query(offerings!("WHERE o.provider = $1 ORDER BY o.id"), params![provider.as_str()])?;
        rows.iter().map(read_offering).collect()
    }

    /// A page of the catalogue by id, with how many there are in all; `active` keeps only those that
    /// can, or cannot, be ordered.
    ///
    /// # Errors
    /// The store's.
    pub fn list_offerings(
        &mut self,
        active: Option<bool>,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<(Offering, Provider)>, i64), StoreError> {
        let (low, high) = (active == Some(true), active != Some(false));
        let rows = self.sql.query(
            offerings!("WHERE o.active BETWEEN $1 AND $2 ORDER BY o.id LIMIT $3 OFFSET $4"),
            params![low, high, limit, offset],
        )?;
        let total = self.sql.query_one(
            "SELECT COUNT(*) FROM catalogue_offering WHERE active BETWEEN $1 AND $2",
            params![low, high],
        )?;
        let items = rows.iter().map(read_offering).collect::<Result<_, _>>()?;
        Ok((items, total.map_or(Ok(0), |row| row.int(0))?))
    }

    /// The offerings that exclude a given one by their own word.
    ///
    /// # Errors
    /// The store's.
    pub fn list_excluding(&mut self, id: &OfferingId) -> Result<Vec<OfferingId>, StoreError> {
        // The ids are slugs: none holds a quote, `%` or a character that JSON escapes; `_` in a LIKE
        // pattern may find one too many, which the comparison below leaves out.
        let rows = self.sql.query(
            "SELECT id, conflicts FROM catalogue_offering WHERE conflicts LIKE '%\"' || $1 || '\"%'",
            params![id.as_str()],
        )?;
        let mut excluding = Vec::new();
        for row in &rows {
            let conflicts: Vec<OfferingId> = read_json(row.text(1)?)?;
            if conflicts.contains(id) {
                excluding.push(read_offering_id(row.text(0)?)?);
            }
        }
        Ok(excluding)
    }
}

fn change(was_there: bool) -> CatalogueChange {
    if was_there { CatalogueChange::Changed } else { CatalogueChange::Added }
}

pub(super) fn write_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::new(Kind::Internal, error))
}

pub(super) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::new(Kind::Damaged, error))
}

pub(super) fn read_offering_id(text: &str) -> Result<OfferingId, StoreError> {
    OfferingId::parse(text).map_err(|error| StoreError::new(Kind::Damaged, error))
}

/// Reads a price from three neighbouring columns: hundredths, currency, period.
pub(super) fn read_price(row: &Row, first: usize) -> Result<Price, StoreError> {
    let nothing =
        Money::parse("0.00", row.text(first + 1)?).map_err(|error| StoreError::new(Kind::Damaged, error))?;
    let period = Period::parse(row.text(first + 2)?)
        .ok_or_else(|| StoreError::damaged("a period of no known length"))?;
    Ok(Price { money: nothing.with_hundredths(row.int(first)?), period })
}

fn read_offering(row: &Row) -> Result<(Offering, Provider), StoreError> {
    let provider = read_provider(row, 13)?;
    let texts = |column| row.text(column).and_then(read_json::<Localised>);
    let offering = Offering {
        id: read_offering_id(row.text(0)?)?,
        provider: provider.id.clone(),
        name: texts(2)?,
        price: read_price(row, 3)?,
        renews: row.bool(6)?,
        sensitive: row.bool(7)?,
        active: row.bool(8)?,
        terms: texts(9)?,
        how_to_cancel: texts(10)?,
        conflicts_with: read_json(row.text(11)?)?,
        version: row.int(12)?,
    };
    Ok((offering, provider))
}

fn read_provider(row: &Row, first: usize) -> Result<Provider, StoreError> {
    let day = |column| -> Result<Option<Date>, StoreError> {
        let read =
            |text: &str| text.parse().map_err(|error: jiff::Error| StoreError::new(Kind::Damaged, error));
        row.opt_text(column)?.map(read).transpose()
    };
    Ok(Provider {
        id: ProviderId::parse(row.text(first)?).map_err(|error| StoreError::new(Kind::Damaged, error))?,
        kind: ProviderKind::parse(row.text(first + 1)?)
            .ok_or_else(|| StoreError::damaged("a provider of no known kind"))?,
        name: read_json(row.text(first + 2)?)?,
        from: day(first + 3)?,
        until: day(first + 4)?,
    })
}
