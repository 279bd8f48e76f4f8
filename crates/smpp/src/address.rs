//! Addresses as SMPP carries them: type of number, numbering plan, digits.

/// The source or destination of a text. `Debug` shows no digits.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Address {
    /// Type of number (SMPP 3.4 section 5.2.5).
    pub ton: u8,
    /// Numbering plan indicator (SMPP 3.4 section 5.2.6).
    pub npi: u8,
    /// Up to 20 ASCII characters, digits as a rule.
    pub digits: String,
}

impl Address {
    /// Makes the address of a telephone in international form; a leading `+` is dropped, as SMPP wants it.
    #[must_use]
    pub fn international(digits: &str) -> Self {
        Self { ton: 1, npi: 1, digits: digits.trim_start_matches('+').to_owned() }
    }

    /// Makes the address of a service, such as `10690001`: type and plan unknown, the network's own to read.
    #[must_use]
    pub fn short_code(digits: &str) -> Self {
        Self { ton: 0, npi: 0, digits: digits.to_owned() }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address(ton {}, npi {}, {} digits)", self.ton, self.npi, self.digits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_international_address_drops_its_plus() {
        assert_eq!(Address::international("+8613800138000"), Address::international("8613800138000"));
    }

    #[test]
    fn debug_shows_no_digits() {
        assert!(!format!("{:?}", Address::international("8613800138000")).contains("138"));
    }
}
