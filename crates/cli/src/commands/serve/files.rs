//! Where a server keeps files, if not in its data directory.

use std::path::PathBuf;

use agentdrop_server::{Config, Route, S3, S3Url, SecretKey};

use crate::exit::{Failure, Result};

/// The bucket that files are in.
#[derive(clap::Args)]
pub(crate) struct Files {
    #[arg(
        long,
        value_name = "DIR|URL",
        env = "AGENTDROP_BLOBS",
        value_parser = place,
        help = "Where the files are, which all servers on one database share: a folder, or s3://bucket/prefix with \
                AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment [default: in the data directory]"
    )]
    blobs: Option<Place>,
    /// Where the bucket's service is, as the server and its clients reach it [default: Amazon's]
    #[arg(
        long,
        value_name = "URL",
        env = "AGENTDROP_S3_ENDPOINT",
        requires = "blobs"
    )]
    s3_endpoint: Option<String>,
    /// The bucket's region
    #[arg(
        long,
        value_name = "NAME",
        env = "AGENTDROP_S3_REGION",
        default_value = "us-east-1"
    )]
    s3_region: String,
    /// Let plain HTTP to another machine do for the bucket
    #[arg(long, env = "AGENTDROP_S3_PLAIN_HTTP", requires = "blobs")]
    s3_plain_http: bool,
    /// How recipients fetch what its sender sealed: direct (from the bucket) or relayed
    #[arg(
        long,
        value_name = "HOW",
        env = "AGENTDROP_S3_DOWNLOADS",
        default_value = "direct",
        value_parser = route
    )]
    s3_downloads: Route,
    /// How senders send what they sealed: direct (to the bucket) or relayed
    #[arg(
        long,
        value_name = "HOW",
        env = "AGENTDROP_S3_UPLOADS",
        default_value = "direct",
        value_parser = route
    )]
    s3_uploads: Route,
}

impl Files {
    /// Says it in a configuration.
    pub(crate) fn tell(self, config: &mut Config) -> Result<()> {
        let url = match self.blobs {
            None => return Ok(()),
            Some(Place::Folder(folder)) => {
                config.blobs = Some(folder).filter(|it| !it.as_os_str().is_empty());
                return Ok(());
            }
            Some(Place::Bucket(url)) => url,
        };
        let mut bucket = bucket(url, self.s3_endpoint, self.s3_region)?;
        bucket.plain_http = self.s3_plain_http;
        (bucket.downloads, bucket.uploads) = (self.s3_downloads, self.s3_uploads);
        config.s3 = Some(bucket);
        Ok(())
    }
}

/// A bucket, with the credentials of the environment.
pub(crate) fn bucket(url: S3Url, endpoint: Option<String>, region: String) -> Result<S3> {
    let endpoint = endpoint.filter(|it| !it.is_empty());
    Ok(S3 {
        bucket: url.bucket,
        prefix: url.prefix,
        endpoint: endpoint.unwrap_or_else(|| S3::amazon(&region)),
        region,
        access_key: credential("ACCESS_KEY_ID")?,
        secret_key: SecretKey::new(credential("SECRET_ACCESS_KEY")?),
        plain_http: false,
        downloads: Route::Direct,
        uploads: Route::Direct,
    })
}

/// Where files are.
#[derive(Clone)]
enum Place {
    Bucket(S3Url),
    Folder(PathBuf),
}

/// A credential out of the environment, for on a command line everybody on the machine would see it.
fn credential(name: &str) -> Result<String> {
    let ours = std::env::var(format!("AGENTDROP_S3_{name}"));
    let temporary = std::env::var("AWS_SESSION_TOKEN").is_ok_and(|it| !it.is_empty());
    if ours.is_err() && temporary {
        let message = "temporary credentials, with AWS_SESSION_TOKEN, do not do for the bucket";
        let hint = "they end before the addresses do that are signed with them; make a user for it";
        return Err(Failure::refused("CONFIG", message, hint));
    }
    let found = ours.or_else(|_| std::env::var(format!("AWS_{name}")));
    found.ok().filter(|it| !it.is_empty()).ok_or_else(|| {
        let message = "the bucket of `--blobs` needs credentials".to_owned();
        let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
        Failure::refused("CONFIG", message, hint)
    })
}

fn place(text: &str) -> Result<Place, String> {
    if text.starts_with("s3:") {
        return text.parse().map(Place::Bucket);
    }
    // A typing error would be taken for a folder.
    if text.contains("://") {
        return Err("must be a folder, or s3://bucket/prefix".to_owned());
    }
    Ok(Place::Folder(text.into()))
}

fn route(text: &str) -> Result<Route, String> {
    text.parse()
}
