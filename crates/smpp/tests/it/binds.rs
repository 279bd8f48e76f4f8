//! Kinds of binds, versions, and TLS.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use smpp::simulator::Simulator;
use smpp::wire::{FrameCodec, command};
use smpp::{BindConfig, BindError, BindKind, Session, SubmitError, Tls, Version};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::Framed;

use crate::fixtures::{Inbox, Peer, config, listener, simulator, submit, until};

const PHONE: &str = "+8613800138000";

async fn bind(simulator: &Simulator, inbox: &Arc<Inbox>, kind: BindKind) -> Session {
    let config = BindConfig { kind, ..config(simulator.smpp_addr().port()) };
    Session::bind(config, inbox.clone()).await.unwrap()
}

#[tokio::test]
async fn what_a_transmitter_sends_is_receipted_to_the_receiver() {
    let simulator = simulator().await;
    let (to_sender, to_receiver) = (Inbox::new(), Inbox::new());
    let sender = bind(&simulator, &to_sender, BindKind::Transmitter).await;
    let receiver = bind(&simulator, &to_receiver, BindKind::Receiver).await;
    sender.submit(submit("hi")).await.unwrap();
    simulator.reply(PHONE, "10690001", "YES").await.unwrap();
    to_receiver.wait_for(2).await;
    assert!(to_sender.delivered.lock().unwrap().is_empty());
    assert_eq!(receiver.submit(submit("hi")).await, Err(SubmitError::NotSent));
    assert_eq!(simulator.texts(PHONE).await.len(), 1);
    receiver.unbind().await;
    sender.unbind().await;
}

#[tokio::test]
async fn each_kind_and_version_says_so_in_its_bind() {
    for (kind, id, version, octet) in [
        (BindKind::Transceiver, command::BIND_TRANSCEIVER, Version::V3_4, 0x34),
        (BindKind::Transmitter, command::BIND_TRANSMITTER, Version::V5_0, 0x50),
        (BindKind::Receiver, command::BIND_RECEIVER, Version::V5_0, 0x50),
    ] {
        let listener = listener().await;
        let config = BindConfig { kind, version, ..config(listener.local_addr().unwrap().port()) };
        let bound = tokio::spawn(Session::bind(config, Inbox::new()));
        let mut peer = Peer(Framed::new(listener.accept().await.unwrap().0, FrameCodec));
        let request = peer.next().await;
        assert_eq!((request.id, request.body[11]), (id, octet));
        // With sc_interface_version and congestion_state, as a centre of SMPP 5.0 answers.
        let answer = b"smsc\0\x02\x10\0\x01\x50\x04\x28\0\x01\x10";
        peer.send(id | command::RESPONSE_BIT, 0, request.sequence, answer).await;
        assert!(bound.await.unwrap().is_ok());
    }
}

/// A centre under TLS: what comes out of it goes to the simulated one. Gives its port and its certificate.
async fn under_tls(simulator: &Simulator, name: &str) -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let (listener, inner) = (listener().await, simulator.smpp_addr());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(inner).await.unwrap();
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    (port, certificate.pem())
}

#[tokio::test]
async fn a_session_under_tls_sends_and_receives() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let (port, pem) = under_tls(&simulator, "smsc.example").await;
    let tls = Tls::of_pem(pem.as_bytes()).unwrap().named("smsc.example");
    let session = Session::bind(BindConfig { tls: Some(tls), ..config(port) }, inbox.clone()).await.unwrap();
    futures::future::try_join_all((0..30).map(|_| session.submit(submit("hi")))).await.unwrap();
    inbox.wait_for(30).await;
    assert_eq!(simulator.texts(PHONE).await.len(), 30);
    session.unbind().await;
    until(|| simulator.deliveries_open() == 0).await;
}

#[tokio::test]
async fn a_certificate_of_nobody_known_or_of_another_name_gets_no_password() {
    let simulator = simulator().await;
    let (port, pem) = under_tls(&simulator, "smsc.example").await;
    let (_, others) = under_tls(&simulator, "smsc.example").await;
    for tls in
        [Tls::of_pem(others.as_bytes()).unwrap().named("smsc.example"), Tls::of_pem(pem.as_bytes()).unwrap()]
    {
        let bound = Session::bind(BindConfig { tls: Some(tls), ..config(port) }, Inbox::new()).await;
        assert!(matches!(bound, Err(BindError::Tls(_))), "{bound:?}");
    }
    let plain = BindConfig {
        tls: Some(Tls::of_pem(pem.as_bytes()).unwrap()),
        ..config(simulator.smpp_addr().port())
    };
    assert!(matches!(Session::bind(plain, Inbox::new()).await, Err(BindError::Tls(_) | BindError::TimedOut)));
}
