use std::fmt;
use std::str::FromStr;

use rlibphonenumber::PHONE_NUMBER_UTIL;

/// The region whose dialling habits a number without `+` is read by, such as `CN`.
///
/// Two capital ASCII letters; only regions with a numbering plan exist.
/// Source: ISO 3166-1 alpha-2, as far as libphonenumber has metadata for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(rlibphonenumber::Region);

/// Why a text is not a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a region with telephone numbers: write two letters, such as CN")]
pub struct NotARegion;

impl Region {
    /// Mainland China, the region of the first operators served.
    pub const CN: Self = Self(rlibphonenumber::Region::CN);

    /// Reads a two-letter region, in either case.
    ///
    /// # Errors
    /// [`NotARegion`] when it is not two letters or has no numbering plan.
    pub fn parse(text: &str) -> Result<Self, NotARegion> {
        if text.len() != 2 {
            return Err(NotARegion);
        }
        let region = rlibphonenumber::Region::from_code(text).map_err(|_| NotARegion)?;
        // Every pair of letters is a value of the library's type; only a country code makes it real.
        PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| Self(region)).ok_or(NotARegion)
    }

    /// The two capital letters.
    pub fn code(self) -> String {
        self.0.as_region_str().as_str().to_owned()
    }

    /// The country code that numbers of the region have in E.164, such as 86.
    pub fn country_code(self) -> u16 {
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(self.0);
        // Parsing a region has made sure that it has one, of three digits at most.
        code.and_then(|code| u16::try_from(code).ok()).unwrap_or_default()
    }

    /// The library's own value.
    pub(super) fn inner(self) -> rlibphonenumber::Region {
        self.0
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        Self::parse(text)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_region_str().as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_two_letters_and_a_numbering_plan() {
        assert_eq!(Region::parse("cn"), Ok(Region::CN));
        assert_eq!((Region::CN.to_string(), Region::CN.country_code()), ("CN".to_owned(), 86));
        for bad in ["", "C", "CHN", "ZZ", "XX", "00", "001", "中"] {
            assert_eq!(Region::parse(bad), Err(NotARegion), "{bad}");
        }
    }
}
