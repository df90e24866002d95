//! Why a server does not come up, and what to do about it.

use agentdrop_server::{ConfigError, Error};

use crate::exit::{Failure, chain};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = chain(&error);
        match &error {
            Error::Blobs(..) => Self::broken(
                "BLOBS",
                message,
                "choose another folder with `--blobs`, which can be written to and locked",
            ),
            Error::NotItsBlobs(_) => {
                let hint = "name with `--blobs` where they are; if you moved them yourself, move the file \
                            `installation` that lies beside them, too";
                Self::refused("BLOBS", message, hint)
            }
            Error::OtherBlobs(_) => {
                let hint =
                    "choose the database that it was used with, or another folder with `--blobs`";
                Self::refused("BLOBS", message, hint)
            }
            Error::Config(ConfigError::NoMailFrom) => {
                let hint = "say with `--mail-from` whom, like \"AgentDrop <drop@example.org>\"";
                Self::refused("CONFIG", message, hint)
            }
            Error::Bucket(place, error) => bucket(place, error),
            Error::Config(ConfigError::PlainBucket(_)) => {
                let hint =
                    "use https://, or say `--s3-plain-http` if nobody else is on that network";
                Self::refused("CONFIG", message, hint)
            }
            Error::Config(_) => {
                let hint =
                    "say with `--public-url` how others reach it, like https://drop.example.org";
                Self::refused("CONFIG", message, hint)
            }
            Error::DataDir(..) => Self::broken(
                "DATA_DIR",
                message,
                "choose another folder with `--data-dir`",
            ),
            Error::Folder(..) => {
                Self::broken("FOLDER", message, "check who may read and write there")
            }
            Error::HasData(_) => {
                let hint =
                    "nothing was changed there; name an empty place, or delete what is there first";
                Self::refused("HAS_DATA", message, hint)
            }
            Error::Lost { .. } => {
                let hint = "`agentdrop admin check` names all that is wrong; a transfer that is deleted is \
                            passed over";
                Self::broken("LOST_BYTES", message, hint)
            }
            Error::NoBackup(..) => {
                let hint = "name the folder that `agentdrop admin backup` filled, and make the backup again if it \
                            was interrupted";
                Self::refused("NO_BACKUP", message, hint)
            }
            Error::Listen(..) => {
                let hint = "something else may listen there: choose another with `--listen`";
                Self::broken("LISTEN", message, hint)
            }
            Error::Mail(_) => {
                let hint = "check `--smtp-url`, `--smtp-ca` and `--mail-from`";
                Self::refused("CONFIG", message, hint)
            }
            Error::OtherServerKey(_) => {
                let hint = "all servers on one database have the same key: copy it here from the first, or \
                            restore it, or name it with `--server-key`";
                Self::refused("SERVER_KEY", message, hint)
            }
            Error::ServerKey(..) | Error::ServerKeyMissing(_) => {
                let hint = "restore it from a copy; without it, what it encrypted is lost";
                Self::broken("SERVER_KEY", message, hint)
            }
            Error::Store(_) => {
                let hint = "check `--database-url`, and that the data directory can be written to";
                Self::broken("DATABASE", message, hint)
            }
            Error::Taken(_) => {
                let hint = "stop the other one, or choose another folder with `--data-dir`";
                Self::refused("DATA_DIR_TAKEN", message, hint)
            }
            _ => Self::broken(
                "SERVER",
                message,
                "check the disk, and the machine's limits",
            ),
        }
    }
}

/// A bucket that cannot be used. What its client says of it is long, and says everything three times.
fn bucket(place: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    let said = chain(error);
    let knows = |word: &&str| said.contains(word);
    let is_any = |words: &[&str]| words.iter().any(knows);
    let (why, hint) = if is_any(&["NoSuchBucket"]) {
        (
            "there is no such bucket".to_owned(),
            "make it first, or check `--blobs`, `--s3-endpoint` and `--s3-region`",
        )
    } else if is_any(&[
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidToken",
        "ExpiredToken",
    ]) {
        (
            "its credentials are not accepted".to_owned(),
            "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and `--s3-region`",
        )
    } else if is_any(&["AccessDenied", "403 Forbidden"]) {
        (
            "its credentials may not do that".to_owned(),
            "it has to let objects be put, got, listed and deleted below its prefix",
        )
    } else {
        (
            innermost(error),
            "check `--blobs`, `--s3-endpoint`, `--s3-region` and the credentials: it has to let objects be put, \
             got, listed and deleted",
        )
    };
    let message = format!("the bucket {place} cannot be used: {why}");
    Failure::broken("BUCKET", message, hint)
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_a_bucket_says_is_said_shortly() {
        let said = |text: &str| {
            let error = Error::Bucket(
                "files at http://s3".to_owned(),
                io::Error::other(text.to_owned()),
            );
            Failure::from(error)
        };
        for (text, message) in [
            (
                "Client error 404: <Code>NoSuchBucket</Code>",
                "there is no such bucket",
            ),
            (
                "<Code>InvalidAccessKeyId</Code>",
                "its credentials are not accepted",
            ),
            (
                "403 Forbidden: <Code>AccessDenied</Code>",
                "its credentials may not do that",
            ),
            ("Connection refused", "Connection refused"),
        ] {
            let failure = said(text);
            let expected = format!("the bucket files at http://s3 cannot be used: {message}");
            assert_eq!((failure.code, failure.message), ("BUCKET", expected));
        }
    }
}
