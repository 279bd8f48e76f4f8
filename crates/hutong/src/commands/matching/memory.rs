//! How much memory a command may use, as people write it.

/// Less would be eaten up by buffers.
const LEAST: usize = 1 << 20;

/// Reads a number of bytes: digits, and `K`, `M`, `G` or `T` for powers of 1,024.
///
/// # Errors
/// A sentence for the person who wrote it.
pub(super) fn parse(text: &str) -> Result<usize, String> {
    let size = text.trim_end_matches(['b', 'B']).trim_end_matches('i');
    let (digits, shift) = match size.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => {
            let shift = match unit.to_ascii_uppercase() {
                'K' => 10,
                'M' => 20,
                'G' => 30,
                'T' => 40,
                _ => return Err("the unit is none of K, M, G and T".to_owned()),
            };
            (&size[..at], shift)
        }
        _ => (size, 0),
    };
    let number: usize = digits.trim().parse().map_err(|_| "write it like 512M or 4G".to_owned())?;
    let bytes = number.checked_mul(1 << shift).ok_or("that is more than can be addressed")?;
    if bytes < LEAST { Err("at least 1M is needed".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1048576", 1 << 20),
            ("1024K", 1 << 20),
            ("512M", 512 << 20),
            ("512MiB", 512 << 20),
            ("3gb", 3 << 30),
            ("2 G", 2 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "512X", "-1M", "1.5G", "1048575", "0", "99999999999T", "é", "5é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
