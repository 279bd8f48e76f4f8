//! Connecting and binding.

use std::collections::VecDeque;
use std::io;
use std::str::FromStr;

use futures::StreamExt;
use rusmpp::Pdu;
use rusmpp::pdus::{BindReceiver, BindTransceiver, BindTransmitter};
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::FramedRead;

use crate::config::{BindConfig, BindKind, Version};
use crate::wire::{self, Frame, FrameCodec, FrameError, command};

/// Why a bind failed.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// No connection, or it ended before the answer.
    #[error("the centre cannot be reached")]
    Unreachable(#[source] io::Error),
    /// No answer within the bind's time limit.
    #[error("the centre did not answer the bind in time")]
    TimedOut,
    /// The centre refused the bind: 0x0D, 0x0E and 0x0F mean account or password.
    #[error("the centre refused the bind with status {status:#x}")]
    Refused {
        /// command_status of the answer (SMPP 3.4 section 5.1.3).
        status: u32,
    },
    /// No TLS with the centre: its certificate is not trusted, or it speaks none.
    #[error("the centre and we do not agree on TLS")]
    Tls(#[source] io::Error),
    /// The peer does not speak SMPP, or the account does not fit a bind.
    #[error("the bind failed: {0}")]
    Protocol(String),
}

/// The two halves of a connection, plain or under TLS.
pub(super) type Reading = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writing = Box<dyn AsyncWrite + Send + Unpin>;

/// A bound connection, with what came before it was handed on.
pub(super) struct Bound {
    pub(super) reader: FramedRead<Reading, FrameCodec>,
    pub(super) writer: Writing,
    pub(super) early: VecDeque<Frame>,
}

/// The bind's sequence number; submits go on from here.
pub(super) const BIND_SEQUENCE: u32 = 1;
/// PDUs taken before the bind's answer; a hasty centre sends one or two.
const EARLY_MAX: usize = 32;

pub(super) async fn bind(config: &BindConfig) -> Result<Bound, BindError> {
    let pdu = wire::encode(0, BIND_SEQUENCE, request(config)?);
    let (reader, mut writer) = connect(config).await?;
    writer.write_all(&pdu).await.map_err(BindError::Unreachable)?;
    writer.flush().await.map_err(BindError::Unreachable)?;
    let mut reader = FramedRead::new(reader, FrameCodec);
    let mut early = VecDeque::new();
    let answer = answer_to(config.kind);
    loop {
        let frame = match reader.next().await {
            Some(Ok(frame)) => frame,
            Some(Err(FrameError::Io(error))) => return Err(BindError::Unreachable(error)),
            Some(Err(error)) => return Err(BindError::Protocol(error.to_string())),
            None => return Err(BindError::Unreachable(io::ErrorKind::UnexpectedEof.into())),
        };
        match frame.id {
            // The answer's body is not read: centres that refuse often leave it out.
            id if (id == answer || id == command::GENERIC_NACK) && frame.status != 0 => {
                return Err(BindError::Refused { status: frame.status });
            }
            id if id == answer => return Ok(Bound { reader, writer, early }),
            _ if early.len() < EARLY_MAX => early.push_back(frame),
            _ => return Err(BindError::Protocol("too much came before the bind was answered".to_owned())),
        }
    }
}

async fn connect(config: &BindConfig) -> Result<(Reading, Writing), BindError> {
    let stream =
        TcpStream::connect((config.host.as_str(), config.port)).await.map_err(BindError::Unreachable)?;
    // Small PDUs must not wait for one another.
    stream.set_nodelay(true).map_err(BindError::Unreachable)?;
    Ok(match &config.tls {
        None => {
            let (reader, writer) = stream.into_split();
            (Box::new(reader), Box::new(writer))
        }
        Some(tls) => {
            let stream = tls.connect(stream, &config.host).await.map_err(BindError::Tls)?;
            let (reader, writer) = tokio::io::split(stream);
            (Box::new(reader), Box::new(writer))
        }
    })
}

fn answer_to(kind: BindKind) -> u32 {
    match kind {
        BindKind::Transceiver => command::BIND_TRANSCEIVER_RESP,
        BindKind::Transmitter => command::BIND_TRANSMITTER | command::RESPONSE_BIT,
        BindKind::Receiver => command::BIND_RECEIVER | command::RESPONSE_BIT,
    }
}

fn request(config: &BindConfig) -> Result<Pdu, BindError> {
    let unfit = |field: &str| BindError::Protocol(format!("{field} does not fit a bind"));
    let system_id = COctetString::from_str(&config.system_id).map_err(|_| unfit("system_id"))?;
    let password = COctetString::from_str(&config.password).map_err(|_| unfit("password"))?;
    let system_type = COctetString::from_str(&config.system_type).map_err(|_| unfit("system_type"))?;
    let version = match config.version {
        Version::V3_4 => InterfaceVersion::Smpp3_4,
        Version::V5_0 => InterfaceVersion::Smpp5_0,
    };
    macro_rules! bind {
        ($pdu:ident) => {
            $pdu::builder()
                .system_id(system_id)
                .password(password)
                .system_type(system_type)
                .interface_version(version)
                .build()
                .into()
        };
    }
    Ok(match config.kind {
        BindKind::Transceiver => bind!(BindTransceiver),
        BindKind::Transmitter => bind!(BindTransmitter),
        BindKind::Receiver => bind!(BindReceiver),
    })
}
