//! A real server with TLS, and with mutual TLS.

mod support;

use std::path::Path;

use sentiment_client::{CallOptions, Client, Code, ConnectError, Options, SentimentError, Tier, Tls};
use support::real_server::{empty_folder, RealServer};
use support::{certificates, millis};

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

async fn ask(address: &str, tls: Tls) -> Result<(), SentimentError> {
    let client = Client::connect(address, Options::default().tls(tls)).await.expect("good certificates");
    // Enough for a first answer, not for five attempts.
    let options = CallOptions { tier: Tier::Fast, deadline: Some(millis(3000)), ..CallOptions::default() };
    client.analyze("fine", options).await.map(|_| ())
}

#[tokio::test]
async fn the_servers_certificate_is_checked() {
    let folder = empty_folder("tls");
    certificates::make(&folder);
    let settings = [("TLS_CERT", path(&folder, "server.pem")), ("TLS_KEY", path(&folder, "server.key"))];
    let server = RealServer::start(&settings.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    ask(&server.address, Tls::ca_file(folder.join("ca.pem"))).await.expect("an answer");
    let by_name = server.address.replace("127.0.0.1", "localhost");
    ask(&by_name, Tls::ca_file(folder.join("ca.pem"))).await.expect("an answer by name");
    for tls in [Tls::ca_file(folder.join("stranger.pem")), Tls::system()] {
        let error = ask(&server.address, tls).await.expect_err("nobody to trust");
        assert!(error.code() == Code::Unavailable && error.message().contains("UnknownIssuer"), "{error}");
    }
}

#[tokio::test]
async fn mutual_tls_wants_the_clients_certificate() {
    let folder = empty_folder("mutual-tls");
    certificates::make(&folder);
    let names = [("TLS_CERT", "server.pem"), ("TLS_KEY", "server.key"), ("TLS_CLIENT_CA", "ca.pem")];
    let settings = names.map(|(name, file)| (name, path(&folder, file)));
    let server = RealServer::start(&settings.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    let trusted = || Tls::ca_file(folder.join("ca.pem"));
    ask(&server.address, trusted().identity(folder.join("client.pem"), folder.join("client.key"))).await.expect("an answer");
    let error = ask(&server.address, trusted()).await.expect_err("no certificate");
    assert_eq!(error.code(), Code::Unavailable, "{error}");
}

#[tokio::test]
async fn files_that_are_none_are_told_of_before_any_call() {
    let folder = empty_folder("no-tls");
    std::fs::write(folder.join("nonsense.pem"), "nonsense").expect("a file");
    let refused = |tls| async { Client::connect("127.0.0.1:1", Options::default().tls(tls)).await.err().expect("a refusal") };
    assert!(matches!(refused(Tls::ca_file(folder.join("absent.pem"))).await, ConnectError::File(..)));
    assert!(matches!(refused(Tls::ca_file(folder.join("nonsense.pem"))).await, ConnectError::Tls(_)));
}
