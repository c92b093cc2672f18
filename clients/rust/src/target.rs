//! Addresses as gRPC writes them.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::error::ConnectError;

/// Where servers are: hosts, by name or number, with their ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(Vec<(String, u16)>);

impl Target {
    /// `host:port`, `dns:///host:port`, `ipv4:1.2.3.4:port` or `ipv6:[::1]:port`, the last two with commas between several.
    pub fn parse(address: &str) -> Result<Self, ConnectError> {
        let fault = |what| ConnectError::Address(address.to_owned(), what);
        let hosts = if let Some(list) = address.strip_prefix("ipv4:").or_else(|| address.strip_prefix("ipv6:")) {
            list.split(',').collect()
        } else {
            vec![address.strip_prefix("dns:///").or_else(|| address.strip_prefix("dns:")).unwrap_or(address)]
        };
        hosts.into_iter().map(host_and_port).collect::<Result<_, _>>().map(Self).map_err(fault)
    }

    /// What the certificate must be good for, and `:authority` without the port.
    pub fn host(&self) -> &str {
        &self.0[0].0
    }

    /// `:authority`: the first host as it was given.
    pub fn authority(&self) -> String {
        let (host, port) = &self.0[0];
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    /// All addresses that the hosts have now.
    pub async fn resolve(&self) -> io::Result<BTreeSet<SocketAddr>> {
        let mut addresses = BTreeSet::new();
        for (host, port) in &self.0 {
            addresses.extend(tokio::net::lookup_host((host.as_str(), *port)).await?);
        }
        Ok(addresses)
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("it lacks a port, as in host:50051")?;
    let port = port.parse().map_err(|_| "what follows the last colon is no port")?;
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(literal) = literal {
        return literal.parse::<IpAddr>().map(|ip| (ip.to_string(), port)).map_err(|_| "what stands in brackets is no IPv6 address");
    }
    let is_name = !host.is_empty() && host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
    if is_name {
        Ok((host.to_owned(), port))
    } else {
        Err("write host:port, dns:///host:port, ipv4:1.2.3.4:port or [::1]:port")
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn authority(address: &str) -> Option<String> {
        Target::parse(address).ok().map(|target| target.authority())
    }

    #[test]
    fn the_forms_of_grpc_are_read() {
        assert_eq!(authority("127.0.0.1:50051").as_deref(), Some("127.0.0.1:50051"));
        assert_eq!(authority("dns:///sentiment:50051").as_deref(), Some("sentiment:50051"));
        assert_eq!(authority("dns:sentiment:50051").as_deref(), Some("sentiment:50051"));
        assert_eq!(authority("[::1]:50051").as_deref(), Some("[::1]:50051"));
        assert_eq!(authority("ipv4:10.0.0.1:1,10.0.0.2:2").as_deref(), Some("10.0.0.1:1"));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for address in
            ["", "sentiment", "sentiment:", "sentiment:70000", ":50051", "http://sentiment:50051", "[nonsense]:1", "unix:/run/s:1"]
        {
            let error = Target::parse(address).expect_err(address);
            assert!(error.to_string().contains("is no address"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_list_has_all_its_addresses() {
        let target = Target::parse("ipv4:127.0.0.1:1,127.0.0.2:2").expect("a list");
        assert_eq!(target.resolve().await.expect("numbers need no resolver").len(), 2);
    }
}
