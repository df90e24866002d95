//! The bucket that files are in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The bucket that files are in.
#[derive(Clone, Debug)]
pub struct S3 {
    /// What the bucket is called.
    pub bucket: String,
    /// What the names of all objects begin with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// Where the service is, `https://host[:port]`, as we and our clients reach it.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who we are there.
    pub access_key: String,
    /// What shows it.
    pub secret_key: SecretKey,
    /// Whether plain HTTP to another machine will do.
    pub plain_http: bool,
    /// How recipients fetch what its sender sealed.
    pub downloads: Route,
    /// How senders send what they sealed.
    pub uploads: Route,
}

/// How what its sender sealed comes and goes; what we encrypt goes through us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the bucket itself, and from it.
    Direct,
    /// Through us.
    Relayed,
}

/// `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Url {
    /// What the bucket is called.
    pub bucket: String,
    /// What the names of all objects begin with; may be empty.
    pub prefix: String,
}

/// What signs requests to a bucket. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

impl S3 {
    /// Where Amazon has the buckets of a region.
    pub fn amazon(region: &str) -> String {
        format!("https://s3.{region}.amazonaws.com")
    }

    /// Whether what is sent there is seen by nobody on the way: it is encrypted, or stays here.
    pub fn is_private(&self) -> bool {
        let Some(rest) = self.endpoint.strip_prefix("http://") else {
            return true;
        };
        let host = rest.split('/').next().unwrap_or_default();
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
            _ => host,
        };
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|it| it.is_loopback())
    }
}

impl FromStr for S3Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
        let is_name =
            |it: &str| !it.is_empty() && it.chars().all(plain) && it.chars().any(|it| it != '.');
        if is_name(bucket) && (prefix.is_empty() || prefix.split('/').all(is_name)) {
            Ok(Self {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            })
        } else {
            Err("must be like s3://bucket or s3://bucket/prefix".to_owned())
        }
    }
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "direct" => Ok(Self::Direct),
            "relayed" => Ok(Self::Relayed),
            _ => Err("must be direct or relayed".to_owned()),
        }
    }
}

impl SecretKey {
    /// This one.
    pub fn new(key: String) -> Self {
        Self(key)
    }

    /// The key.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_perhaps_a_prefix() {
        for (text, bucket, prefix) in [
            ("s3://drop", "drop", ""),
            ("s3://drop/", "drop", ""),
            ("s3://my.drop-1/a/b_c/", "my.drop-1", "a/b_c"),
        ] {
            let url: S3Url = text.parse().unwrap();
            assert_eq!((&*url.bucket, &*url.prefix), (bucket, prefix));
        }
        for bad in [
            "",
            "drop",
            "s3://",
            "s3:///a",
            "s3://a//b",
            "s3://a/../b",
            "s3://a b",
            "s3://a?x",
            "https://s3.example.org/drop",
        ] {
            assert!(bad.parse::<S3Url>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_encrypted_on_the_way_stays_on_this_machine() {
        let s3 = |endpoint: &str| S3 {
            bucket: "drop".to_owned(),
            prefix: String::new(),
            endpoint: endpoint.to_owned(),
            region: "us-east-1".to_owned(),
            access_key: "id".to_owned(),
            secret_key: SecretKey::new("tell-nobody".to_owned()),
            plain_http: false,
            downloads: Route::Direct,
            uploads: Route::Direct,
        };
        for (endpoint, private) in [
            ("https://s3.example.org", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("http://localhost", true),
            ("http://s3.example.org", false),
            ("http://10.0.0.1:9000", false),
            ("http://localhost.example.org", false),
            ("http://localhost:9000@example.org", false),
        ] {
            assert_eq!(s3(endpoint).is_private(), private, "{endpoint}");
        }
        assert!(!format!("{:?}", s3("")).contains("tell-nobody"));
    }
}
