//! CRC-32 as in Ethernet and zlib: reflected polynomial 0xEDB88320, initial value and final xor all ones.
//!
//! Eight bytes a step (Kounavis and Berry, A systematic approach to building high performance, software-based
//! CRC generators, 2005), because the checksum of a 650-byte book would otherwise be the dearest part of
//! reading it. Every error burst of at most 32 bits is detected.

const POLYNOMIAL: u32 = 0xEDB8_8320;

/// `TABLES[0]` advances by one byte, `TABLES[k]` by one byte and then `k` zero bytes.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    // The later tables lean on the whole first one, so they are filled once it stands.
    let mut zeros = 1;
    while zeros < 8 {
        let mut byte = 0;
        while byte < 256 {
            byte_then_zero(&mut tables, byte, zeros);
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

const fn byte_then_zero(tables: &mut [[u32; 256]; 8], byte: usize, zeros: usize) {
    let before = tables[zeros - 1][byte];
    tables[zeros][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
}

/// Computes the CRC-32 of some bytes in O(n).
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let at = |table: usize, value: u32, shift: u32| TABLES[table][((value >> shift) & 0xff) as usize];
    let (steps, rest) = bytes.as_chunks::<8>();
    let mut crc = u32::MAX;
    for step in steps {
        let [a, b, c, d, e, f, g, h] = *step;
        let low = crc ^ u32::from_le_bytes([a, b, c, d]);
        let high = u32::from_le_bytes([e, f, g, h]);
        crc = (at(7, low, 0) ^ at(6, low, 8) ^ at(5, low, 16) ^ at(4, low, 24))
            ^ (at(3, high, 0) ^ at(2, high, 8) ^ at(1, high, 16) ^ at(0, high, 24));
    }
    for &byte in rest {
        crc = (crc >> 8) ^ at(0, crc ^ u32::from(byte), 0);
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
    }
}
