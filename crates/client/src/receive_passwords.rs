//! Receive passwords: what people open with what they are sent.
//!
//! The key pair is drawn here, and its private half leaves this machine wrapped alone. The server
//! cannot open it, and nobody can bring a forgotten password back.

use std::fmt;

use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::receive_passwords::{
    Base64Bytes, CipherAlgorithm, EncryptedPrivateKey, Iterations, KdfAlgorithm, ReceivePassword,
    RecipientPublicKey, SetReceivePassword, Version,
};
use agentdrop_protocol::{EncryptionPublicKey, ErrorCode, Password};
use agentdrop_seal::receive_password::WrappedReceiveKey;
use agentdrop_seal::{Nonce, PublicKey, SecretKey};
use http::Method;
use reqwest::Url;

use crate::client::Client;
use crate::error::{Error, PersonError, Result};
use crate::transport::Repeat;

/// What opens what a person is sent.
pub struct ReceiveKey(SecretKey);

impl ReceiveKey {
    /// Opens the key that the server keeps, with its password. That takes a moment, on purpose.
    ///
    /// It is the key that the server says it is, or none.
    pub async fn unlock(kept: &ReceivePassword, password: Password) -> Result<Self> {
        let wrapped = wrapped(&kept.encrypted_private_key);
        let key = apart(move || wrapped.open(password.expose_secret())).await;
        let key = key.map_err(|_| PersonError::WrongReceivePassword)?;
        if key.public_key() != public(&kept.public_key) {
            return Err(PersonError::ReceiveKeyDiffers.into());
        }
        Ok(Self(key))
    }

    pub(crate) const fn secret(&self) -> &SecretKey {
        &self.0
    }
}

impl fmt::Debug for ReceiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiveKey(…)")
    }
}

impl Client {
    /// Answers what to encrypt for, so that whoever has this address can open it; nothing, where
    /// nobody has set a receive password for it.
    pub async fn recipient_key(&self, email: &Email) -> Result<Option<EncryptionPublicKey>> {
        let transport = self.transport();
        let parts = ["transfers", "recipient-public-key"];
        let mut url = transport.server.endpoint(&parts);
        url.query_pairs_mut().append_pair("email", email.as_str());
        let found: RecipientPublicKey = transport.get(url).await?;
        if found.has_public_key != found.public_key.is_some() {
            // Not to be taken for somebody without a key: what they are sent could be read then.
            let contradiction = "it says both that there is a key and that there is none";
            return Err(Error::Answer(contradiction.to_owned()));
        }
        Ok(found.public_key)
    }

    /// Answers the account's receive key, wrapped; nothing, where there is none.
    pub async fn receive_password(&self) -> Result<Option<ReceivePassword>> {
        let url = self.receive_password_url();
        match self.transport().get(url).await {
            Ok(it) => Ok(Some(it)),
            Err(Error::Api(it)) if it.code == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Draws a key that the account's owner is sent files under, and wraps it with `password`.
    ///
    /// Where there is one it stays: what was encrypted for it opens with it alone.
    pub async fn set_receive_password(&self, password: Password) -> Result<ReceivePassword> {
        if self.receive_password().await?.is_some() {
            return Err(PersonError::ReceivePasswordExists.into());
        }
        self.put_receive_key(SecretKey::generate()?, password).await
    }

    /// Wraps the key with another password.
    pub async fn change_receive_password(
        &self,
        old: Password,
        new: Password,
    ) -> Result<ReceivePassword> {
        let kept = self.receive_password().await?;
        let kept = kept.ok_or(PersonError::NoReceivePassword)?;
        let ReceiveKey(key) = ReceiveKey::unlock(&kept, old).await?;
        self.put_receive_key(key, new).await
    }

    /// Forgets the key. What was encrypted for it nobody opens any more.
    pub async fn remove_receive_password(&self) -> Result<Done> {
        self.transport().delete(self.receive_password_url()).await
    }

    async fn put_receive_key(&self, key: SecretKey, password: Password) -> Result<ReceivePassword> {
        let public_key = key.public_key();
        let wrapping = move || WrappedReceiveKey::wrap(&key, password.expose_secret());
        let wrapped = apart(wrapping).await?;
        let body = SetReceivePassword {
            public_key: EncryptionPublicKey::try_from(*public_key.as_bytes())
                .expect("a key that was drawn is no point of low order"),
            encrypted_private_key: EncryptedPrivateKey {
                v: Version,
                kdf: KdfAlgorithm::Pbkdf2,
                iterations: Iterations::try_from(wrapped.iterations)
                    .expect("it is wrapped as often as it has to be"),
                salt: Base64Bytes(wrapped.salt),
                cipher: CipherAlgorithm::Aes256Gcm,
                nonce: Base64Bytes(*wrapped.nonce.as_bytes()),
                ciphertext: Base64Bytes(wrapped.ciphertext),
            },
        };
        let url = self.receive_password_url();
        let set: ReceivePassword = self
            .transport()
            .send_json(Method::PUT, url, &body, Repeat::Safe)
            .await?;
        if set.public_key != body.public_key {
            return Err(PersonError::ReceiveKeyDiffers.into());
        }
        Ok(set)
    }

    fn receive_password_url(&self) -> Url {
        let parts = ["account", "receive-password"];
        self.transport().server.endpoint(&parts)
    }
}

/// Works for long on a thread of its own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("wrapping and opening keys does not panic")
}

fn wrapped(it: &EncryptedPrivateKey) -> WrappedReceiveKey {
    WrappedReceiveKey {
        iterations: it.iterations.into(),
        salt: it.salt.0,
        nonce: Nonce::from_bytes(it.nonce.0),
        ciphertext: it.ciphertext.0,
    }
}

fn public(key: &EncryptionPublicKey) -> PublicKey {
    crate::send::sealing_key(key)
}
