//! How the platform decides an order: rows M9, M10 and M11, without the claim, which only the store
//! can take.

use jiff::civil::Date;

use crate::catalogue::{Offering, OfferingId, Provider, ProviderKind};
use crate::order::Reason;

/// What a payer is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payer {
    /// Whether the operator has barred paid services.
    pub barred: bool,
    /// The most that may be charged in a calendar month, in hundredths; `None`: no cap.
    pub monthly_cap_hundredths: Option<i64>,
    /// What was charged this calendar month and not given back, and what open confirmations would
    /// charge, in hundredths.
    pub monthly_spend_hundredths: i64,
}

impl Payer {
    /// Whether one more charge is allowed.
    pub fn may_spend(&self, hundredths: i64) -> bool {
        let after = self.monthly_spend_hundredths.saturating_add(hundredths);
        !self.barred && self.monthly_cap_hundredths.is_none_or(|cap| after <= cap)
    }
}

/// What the preset conditions look at.
pub struct Preset<'a> {
    /// The offering asked for.
    pub offering: &'a Offering,
    /// The version on the card that was tapped; `None`: the order names none.
    pub shown_version: Option<i64>,
    /// Who pays.
    pub payer: Payer,
    /// What the subscriber has already.
    pub live: &'a [OfferingId],
    /// Offerings in force for the subscriber that exclude this one by their own word.
    pub excluded_by_live: bool,
}

/// Checks the operator's preset conditions (M11, first half): before the claim is taken.
///
/// # Errors
/// The reason for the refusal.
pub fn preset_conditions(preset: &Preset<'_>) -> Result<(), Reason> {
    let Preset { offering, shown_version, payer, live, excluded_by_live } = preset;
    if !offering.active {
        return Err(Reason::OfferingNotAvailable);
    }
    if shown_version.is_some_and(|shown| shown != offering.version) {
        return Err(Reason::OfferingChanged);
    }
    if !payer.may_spend(offering.price.money.hundredths()) {
        return Err(Reason::PayerCheckFailed);
    }
    if *excluded_by_live || offering.conflicts_with.iter().any(|other| live.contains(other)) {
        return Err(Reason::ConflictingService);
    }
    Ok(())
}

/// How an order that passed goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The operator's own: started at once.
    AtOnce,
    /// A designated provider's: the subscriber confirms by text first.
    Confirm,
}

/// Chooses the way by the provider's standing (M10, M11): after the claim is taken.
///
/// # Errors
/// [`Reason::ProviderNotDesignated`] for anybody else's service.
pub fn way(provider: &Provider, today: Date) -> Result<Way, Reason> {
    match provider.standing_on(today) {
        ProviderKind::Own => Ok(Way::AtOnce),
        ProviderKind::Designated => Ok(Way::Confirm),
        ProviderKind::Other => Err(Reason::ProviderNotDesignated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ProviderId;
    use crate::locale::Localised;
    use crate::money::{Money, Period, Price};

    fn offering() -> Offering {
        Offering {
            id: OfferingId::parse("crbt").unwrap(),
            provider: ProviderId::parse("xx").unwrap(),
            name: Localised::default(),
            price: Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month },
            renews: true,
            sensitive: false,
            active: true,
            terms: Localised::default(),
            how_to_cancel: Localised::default(),
            conflicts_with: vec![OfferingId::parse("rival").unwrap()],
            version: 3,
        }
    }

    fn check(
        change: impl Fn(&mut Offering),
        payer: Payer,
        live: &[&str],
        shown: Option<i64>,
    ) -> Result<(), Reason> {
        let mut offering = offering();
        change(&mut offering);
        let live: Vec<_> = live.iter().map(|id| OfferingId::parse(id).unwrap()).collect();
        preset_conditions(&Preset {
            offering: &offering,
            shown_version: shown,
            payer,
            live: &live,
            excluded_by_live: false,
        })
    }

    #[test]
    fn each_preset_condition_refuses_with_its_own_reason() {
        let free = Payer::default();
        assert_eq!(check(|_| (), free, &[], Some(3)), Ok(()));
        assert_eq!(check(|o| o.active = false, free, &[], None), Err(Reason::OfferingNotAvailable));
        assert_eq!(check(|_| (), free, &[], Some(2)), Err(Reason::OfferingChanged));
        assert_eq!(check(|_| (), free, &["rival"], None), Err(Reason::ConflictingService));
        assert_eq!(check(|_| (), Payer { barred: true, ..free }, &[], None), Err(Reason::PayerCheckFailed));
        let capped =
            |spend| Payer { monthly_cap_hundredths: Some(1000), monthly_spend_hundredths: spend, ..free };
        assert_eq!(check(|_| (), capped(500), &[], None), Ok(()));
        assert_eq!(check(|_| (), capped(501), &[], None), Err(Reason::PayerCheckFailed));
    }

    #[test]
    fn a_designation_counts_only_between_its_dates() {
        let day = |d: i8| jiff::civil::date(2026, 3, d);
        let mut provider = Provider {
            id: ProviderId::parse("xx").unwrap(),
            name: Localised::default(),
            kind: ProviderKind::Designated,
            from: Some(day(2)),
            until: Some(day(3)),
        };
        let ways: Vec<_> = (1..=4).map(|d| way(&provider, day(d)).ok()).collect();
        assert_eq!(ways, [None, Some(Way::Confirm), Some(Way::Confirm), None]);
        provider.kind = ProviderKind::Own;
        assert_eq!(way(&provider, day(9)), Ok(Way::AtOnce));
        provider.kind = ProviderKind::Other;
        assert_eq!(way(&provider, day(2)), Err(Reason::ProviderNotDesignated));
    }
}
