//! `hutong numbers`: raw number fields from stdin, one a line, as JSON lines.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};

use domain::number::{self, Kind, Refusal};
use domain::{Msisdn, Region};

use crate::failure::Failure;

/// The most of one line that is looked at and repeated; a field of more than 256 characters is refused anyway.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Large enough that system calls do not matter.
const BUFFER_BYTES: usize = 1 << 17;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// By whose dialling habits a number without + is read.
    #[arg(long, default_value = "CN", value_name = "REGION")]
    region: Region,
}

/// One line of the answer.
#[derive(serde::Serialize)]
struct Line<'a> {
    raw: &'a str,
    numbers: Vec<String>,
    kind: Kind,
    valid: bool,
    reason: Option<Refusal>,
}

/// Reads stdin to its end.
///
/// # Errors
/// A [`Failure`] when stdin or stdout fails; no line does.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin().lock());
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
    read_all(&mut input, &mut output, args.region)
}

fn read_all<R: Read>(
    input: &mut BufReader<R>,
    output: &mut impl Write,
    region: Region,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    loop {
        if input.buffer().is_empty() {
            // Whoever writes one line and waits for its answer gets it before more is read.
            output.flush().map_err(|error| Failure::stdout(&error))?;
        }
        if !read_line(input, &mut bytes)
            .map_err(|error| Failure::user("stdin cannot be read").because(&error))?
        {
            return Ok(());
        }
        let raw = String::from_utf8_lossy(&bytes);
        let reading = number::read(&raw, region);
        let line = Line {
            raw: &raw,
            numbers: reading.numbers.into_iter().map(Msisdn::e164).collect(),
            kind: reading.kind,
            valid: reading.valid,
            reason: reading.reason,
        };
        serde_json::to_writer(&mut *output, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| output.write_all(b"\n"))
            .map_err(|error| Failure::stdout(&error))?;
    }
}

/// Reads one line without its end, `\n` or `\r\n`; false at the end of the input. Of a line above the
/// limit only the beginning is kept, so that no input fills the memory.
fn read_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
    bytes.clear();
    if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', bytes)? == 0 {
        return Ok(false);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    } else if bytes.len() as u64 == LINE_BYTES_MAX {
        skip_line(input)?;
    }
    Ok(true)
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(length);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(input: &[u8]) -> Vec<serde_json::Value> {
        let mut output = Vec::new();
        // A buffer of three bytes puts every line across its border.
        read_all(&mut BufReader::with_capacity(3, input), &mut output, Region::CN).unwrap();
        output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[test]
    fn every_line_has_an_answer_blank_ones_and_strange_bytes_too() {
        let lines = answer(b"13800138000\r\n\n10086\n\xff\xfe\x00\n138 0013 8000");
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0]["raw"], "13800138000");
        assert_eq!(lines[0]["numbers"][0], "+8613800138000");
        assert_eq!(lines[0]["reason"], serde_json::Value::Null);
        assert_eq!((&lines[1]["raw"], &lines[1]["kind"]), (&"".into(), &"reject".into()));
        assert_eq!(lines[2]["kind"], "short");
        assert_eq!(lines[3]["valid"], false);
        assert_eq!(lines[4]["numbers"][0], "+8613800138000");
    }

    #[test]
    fn a_line_beyond_the_limit_is_one_refusal_and_the_next_is_read() {
        let mut input = vec![b'1'; LINE_BYTES_MAX as usize + 10];
        input.extend(b"\n13800138000\n");
        let lines = answer(&input);
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["reason"], &lines[1]["valid"]), (&"too-long".into(), &true.into()));
    }
}
