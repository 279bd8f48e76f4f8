//! Handing over by file: one JSON line an event, a file a day.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::charging::ChargeEvent;
use domain::world::World;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::tz::TimeZone;

use super::{ChargeMessage, Charging, PayerQuery};
use crate::outbound::{Cause, NotTaken};

/// Appends events to `charges-2026-11-23.jsonl`, readable by its owner alone; a line counts once it is on
/// the disk. An event may stand there twice, with the same id. A file checks no payer: the bar and the
/// cap kept here still stand.
pub struct FileCharging {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    world: World,
    zone: TimeZone,
    open: Mutex<Option<(String, File)>>,
}

impl FileCharging {
    /// Files in a directory, which is made when it is not there; days are those of `zone`.
    ///
    /// # Errors
    /// The file system's.
    pub fn new(directory: &Path, world: World, zone: TimeZone) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("charges-") && name.ends_with(".jsonl") {
                mend(&path)?;
            }
        }
        let inner = Inner { directory: directory.to_owned(), world, zone, open: Mutex::new(None) };
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// Cuts off a last line without its end: a crash tore it, and it was never acknowledged.
fn mend(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut end = file.metadata()?.len();
    let whole = end;
    let mut byte = [0];
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        end -= 1;
    }
    if end < whole {
        tracing::warn!(file = %path.display(), "the last line of a charge file was torn and is cut off");
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(())
}

impl Inner {
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let day = self.world.now().to_zoned(self.zone.clone()).date().to_string();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match open.take() {
            Some((today, file)) if today == day => file,
            _ => self.open_day(&day)?,
        };
        let before = file.metadata()?.len();
        let written = file.write_all(line).and_then(|()| file.sync_data());
        match written {
            Ok(()) => *open = Some((day, file)),
            Err(error) => {
                // Half a line would spoil the next one. Where even that fails, the next start cuts it off.
                file.set_len(before)?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn open_day(&self, day: &str) -> io::Result<File> {
        let path = self.directory.join(format!("charges-{day}.jsonl"));
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        drop(file);
        mend(&path)?;
        let file = options.open(&path)?;
        // The name must outlive a crash as well.
        File::open(&self.directory)?.sync_all()?;
        Ok(file)
    }
}

impl Charging for FileCharging {
    fn check_payer<'a>(&'a self, _: &'a PayerQuery) -> BoxFuture<'a, Result<bool, NotTaken>> {
        async { Ok(true) }.boxed()
    }

    fn hand_over<'a>(&'a self, event: &'a ChargeEvent) -> BoxFuture<'a, Result<(), NotTaken>> {
        let inner = Arc::clone(&self.inner);
        async move {
            let away = |error: Cause| NotTaken::Away(error);
            let mut line =
                serde_json::to_vec(&ChargeMessage::from(event)).map_err(|error| away(error.into()))?;
            line.push(b'\n');
            let written = tokio::task::spawn_blocking(move || inner.append(&line)).await;
            written.map_err(|error| away(error.into()))?.map_err(|error| away(error.into()))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use domain::Msisdn;
    use domain::catalogue::OfferingId;
    use domain::charging::ChargeKind;
    use domain::ids::ProductId;
    use domain::money::Money;
    use domain::world::{SeededDice, SetClock};
    use uuid::Uuid;

    use super::super::record;
    use super::*;

    fn event(number: u128) -> ChargeEvent {
        ChargeEvent {
            id: Uuid::from_u128(number),
            number: Msisdn::parse_digits("8613800138001").unwrap(),
            payer_no: 1,
            kind: ChargeKind::Activation,
            product: ProductId(Uuid::from_u128(1)),
            offering: OfferingId::parse("news").unwrap(),
            period_no: 0,
            money: Money::parse("3.00", "CNY").unwrap(),
            at: jiff::Timestamp::UNIX_EPOCH,
            reverses: None,
        }
    }

    #[tokio::test]
    async fn events_are_lines_a_file_a_day_and_a_torn_line_is_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at_ms(0));
        let world = World::new(clock.clone(), Arc::new(SeededDice::new(1)));
        let open = || FileCharging::new(directory.path(), world.clone(), TimeZone::UTC).unwrap();
        let first = open();
        first.hand_over(&event(1)).await.unwrap();
        first.hand_over(&event(2)).await.unwrap();
        let path = directory.path().join("charges-1970-01-01.jsonl");
        let whole = fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend_from_slice(b"{\"id\":\"0000");
        fs::write(&path, torn).unwrap();
        let second = open();
        assert_eq!(fs::read(&path).unwrap(), whole);
        second.hand_over(&event(3)).await.unwrap();
        clock.advance_s(86_400);
        second.hand_over(&event(4)).await.unwrap();
        let ids = |name: &str| -> Vec<_> {
            let lines = record(&fs::read(directory.path().join(name)).unwrap());
            lines.into_iter().map(|line| line.unwrap()).collect()
        };
        assert_eq!(ids("charges-1970-01-01.jsonl"), [event(1), event(2), event(3)]);
        assert_eq!(ids("charges-1970-01-02.jsonl"), [event(4)]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        }
    }
}
