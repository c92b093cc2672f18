//! One connection to one address.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, Uri};

use crate::error::{causes, ConnectError};
use crate::options::Tls;
use crate::target::Target;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Only while calls are under way: a server has no use for pings of an idle client.
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("sentiment-client-rust/", env!("CARGO_PKG_VERSION"));

pub(crate) struct Transport {
    pub target: Target,
    origin: Uri,
    tls: Option<ClientTlsConfig>,
}

impl Transport {
    pub async fn new(target: Target, tls: Option<&Tls>) -> Result<Self, ConnectError> {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{}", target.authority());
        let origin = origin.parse().map_err(|_| ConnectError::Address(target.authority(), "it is no authority of a URI"))?;
        let tls = match tls {
            Some(tls) => Some(config_of(tls, target.host()).await?),
            None => None,
        };
        let transport = Self { target, origin, tls };
        // So that certificates that cannot be used are told of now, not when a call is made.
        transport.endpoint(SocketAddr::from(([127, 0, 0, 1], 1))).map_err(|error| ConnectError::Tls(causes(&error)))?;
        Ok(transport)
    }

    /// Why it failed is for people.
    pub async fn connect(&self, address: SocketAddr) -> Result<Channel, String> {
        let endpoint = self.endpoint(address).map_err(|error| causes(&error))?;
        endpoint.connect().await.map_err(|error| format!("{address}: {}", causes(&error)))
    }

    fn endpoint(&self, address: SocketAddr) -> Result<Endpoint, tonic::transport::Error> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))?
            .origin(self.origin.clone())
            .user_agent(USER_AGENT)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_TIME)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(false);
        match &self.tls {
            Some(tls) => endpoint.tls_config(tls.clone()),
            None => Ok(endpoint),
        }
    }
}

async fn config_of(tls: &Tls, host: &str) -> Result<ClientTlsConfig, ConnectError> {
    let mut config = ClientTlsConfig::new().domain_name(host);
    config = match &tls.ca_file {
        Some(file) => config.ca_certificate(Certificate::from_pem(pem(file).await?)),
        None => config.with_native_roots(),
    };
    if let Some((certificate, key)) = &tls.identity {
        config = config.identity(Identity::from_pem(pem(certificate).await?, pem(key).await?));
    }
    Ok(config)
}

/// rustls passes over what is no PEM, and would then trust nobody without saying so.
async fn pem(file: &Path) -> Result<Vec<u8>, ConnectError> {
    let text = tokio::fs::read(file).await.map_err(|error| ConnectError::File(file.to_owned(), error))?;
    if text.windows(11).any(|window| window == b"-----BEGIN ") {
        Ok(text)
    } else {
        Err(ConnectError::Tls(format!("{} holds no PEM", file.display())))
    }
}
