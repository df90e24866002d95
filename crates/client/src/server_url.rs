//! Where the server is, and which addresses may be called.

use std::fmt;
use std::net::IpAddr;

use agentdrop_protocol::text::printable;
use reqwest::Url;

use crate::error::{ConfigError, Result, TrustError};

/// Whether a server that is called without TLS is fine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    /// On any network.
    Anywhere,
    /// Within this machine.
    #[default]
    LoopbackOnly,
}

/// The address of a server: scheme, host and port, and the path that all its addresses begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl(Url);

impl ServerUrl {
    pub(crate) fn parse(text: &str, plain_http: PlainHttp) -> Result<Self> {
        let wrong = |problem| ConfigError::ServerUrl {
            url: printable(text),
            problem,
        };
        let url = Url::parse(text.trim()).map_err(|_| wrong("it is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("it does not begin with https:// or http://").into());
        }
        if has_credentials(&url) {
            // They would end in logs and in the shell's history.
            return Err(ConfigError::ServerUrl {
                url: "…".to_owned(),
                problem: "it holds a name or a password",
            }
            .into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or a fragment").into());
        }
        if url.scheme() == "http" && plain_http == PlainHttp::LoopbackOnly && !is_loopback(&url) {
            return Err(ConfigError::PlainHttp(printable(text)).into());
        }
        Ok(Self(url))
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The address of an endpoint. Each part is percent-encoded, so none can become two.
    pub(crate) fn endpoint(&self, parts: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut()
            .expect("an http address has a path")
            .pop_if_empty()
            .push("v1")
            .extend(parts);
        url
    }

    /// The address of what stands beside `/v1`.
    pub(crate) fn beside(&self, part: &str) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut()
            .expect("an http address has a path")
            .pop_if_empty()
            .push(part);
        url
    }

    /// Reads the address that the server gives for a file.
    ///
    /// It is fetched without the API key, and judged by its seal. In the clear it may only be the server's
    /// own: elsewhere, a lying server would have us call whatever stands unprotected in our network. Where
    /// the server is on this machine, in the clear, the store that it keeps files in may be beside it.
    pub(crate) fn file(&self, text: &str) -> Result<Url> {
        let foreign = |what: String| TrustError::ForeignUrl(what);
        let url = self
            .0
            .join(text)
            .map_err(|_| foreign("no address at all".to_owned()))?;
        if has_credentials(&url) || (url.scheme() != "https" && !self.is_own(&url)) {
            return Err(foreign(origin(&url)).into());
        }
        Ok(url)
    }
}

impl ServerUrl {
    fn is_own(&self, url: &Url) -> bool {
        let both_here = is_loopback(url) && is_loopback(&self.0);
        let both_plain = url.scheme() == "http" && self.is_plain();
        (both_here && both_plain) || url.origin() == self.0.origin()
    }
}

/// Without a trailing slash, as people write it.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Scheme, host and port: what may be shown of an address, whose path and query may be secret.
pub(crate) fn origin(url: &Url) -> String {
    printable(&url.origin().ascii_serialization())
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Result<ServerUrl> {
        ServerUrl::parse(text, PlainHttp::LoopbackOnly)
    }

    #[test]
    fn what_is_a_server_and_what_is_not() {
        for good in [
            "https://drop.example.org",
            "https://example.org:8443/drop",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://localhost:8080",
        ] {
            assert!(server(good).is_ok(), "{good}");
        }
        for (bad, code) in [
            ("", "SERVER_URL"),
            ("drop.example.org", "SERVER_URL"),
            ("localhost:8080", "SERVER_URL"),
            ("ftp://example.org", "SERVER_URL"),
            ("https://a:b@example.org", "SERVER_URL"),
            ("https://example.org/?x", "SERVER_URL"),
            ("http://example.org", "PLAIN_HTTP"),
            ("http://10.0.0.1", "PLAIN_HTTP"),
            ("http://localhost.example.org", "PLAIN_HTTP"),
        ] {
            assert_eq!(server(bad).unwrap_err().code(), code, "{bad}");
        }
        assert!(ServerUrl::parse("http://10.0.0.1", PlainHttp::Anywhere).is_ok());
    }

    #[test]
    fn an_endpoint_stands_below_the_servers_path() {
        let server = server("https://example.org/drop/").unwrap();
        let url = server.endpoint(&["agents", "a/../b"]);
        assert_eq!(
            url.as_str(),
            "https://example.org/drop/v1/agents/a%2F..%2Fb"
        );
        assert_eq!(server.to_string(), "https://example.org/drop");
    }

    #[test]
    fn a_file_in_the_clear_is_fetched_from_the_server_only() {
        let server = server("http://127.0.0.1:8080").unwrap();
        for good in [
            "http://127.0.0.1:8080/f",
            "http://localhost:8080/f",
            "http://[::1]:9000/bucket/f?X-Amz-Signature=1",
            "/f?t=1",
            "https://bucket.example.org/f",
        ] {
            assert!(server.file(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1:8080/f",
            "http://169.254.169.254/",
            "file:///etc/passwd",
            "https://a:b@example.org/",
            "ftp://127.0.0.1:8080/",
        ] {
            assert_eq!(server.file(bad).unwrap_err().code(), "FOREIGN_URL", "{bad}");
        }
        // A server elsewhere has nothing to do with what runs here.
        for elsewhere in ["https://example.org", "http://10.0.0.1:8080"] {
            let server = ServerUrl::parse(elsewhere, PlainHttp::Anywhere).unwrap();
            let error = server.file("http://127.0.0.1:8080/f").unwrap_err();
            assert_eq!(error.code(), "FOREIGN_URL", "{elsewhere}");
        }
    }
}
