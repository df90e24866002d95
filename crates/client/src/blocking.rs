//! Work that waits for the disk, or for other processes, beside the threads that others share.

use crate::error::Result;

/// Does it on a thread that may wait. If nobody waits for it any more, it is done all the same.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("working on files does not panic")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use agentdrop_protocol::wire::bundles::AgentBundle;
    use agentdrop_protocol::{AgentId, EncryptionPublicKey};
    use agentdrop_seal::SecretKey;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use crate::clock::now;
    use crate::identity::Identity;
    use crate::keyring::Keyring;
    use crate::private_file::write_private;
    use crate::{Client, Error};

    const ME: AgentId = AgentId::from_bytes([1; 16]);
    const OTHER: AgentId = AgentId::from_bytes([2; 16]);

    /// An agent with keys, whose server does not answer.
    fn client(folder: &Path) -> Client {
        let secret = SecretKey::generate().unwrap();
        let public = *secret.public_key().as_bytes();
        let config = json!({
            "agent_id": "me", "agent_uuid": ME, "server": "http://127.0.0.1:1",
            "public_key": STANDARD.encode(public),
            "private_key": STANDARD.encode(secret.expose_secret()),
        });
        let path = folder.join("config.json");
        write_private(&path, config.to_string().as_bytes()).unwrap();
        let xk = EncryptionPublicKey::try_from(public).unwrap();
        Keyring::create(folder, ME, xk, now()).unwrap();
        let identity = Identity::load(folder).unwrap();
        let client = Client::builder("http://127.0.0.1:1").identity(identity);
        client.build().unwrap()
    }

    /// What another agent shows.
    fn bundle() -> AgentBundle {
        let folder = tempfile::tempdir().unwrap();
        let xk = EncryptionPublicKey::try_from([9; 32]).unwrap();
        let keyring = Keyring::create(folder.path(), OTHER, xk, now()).unwrap();
        let draft = keyring.draft().unwrap().bundle.clone();
        let bundle = json!({
            "id": OTHER, "agent_uuid": OTHER, "agent_id": "other", "version": 1, "rotations": [],
            "bundle": STANDARD.encode(draft.to_bytes()),
            "key_fingerprint": draft.bundle.fingerprint().to_string(),
        });
        serde_json::from_value(bundle).unwrap()
    }

    /// Does something while another process holds the lock of this name, and lets go of it only where the
    /// same thread comes to do anything else meanwhile.
    async fn while_held<T>(
        folder: &Path,
        lock: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut file = File::options();
        let file = file.create(true).truncate(false).write(true);
        let held = file.open(folder.join(lock)).unwrap();
        held.lock().unwrap();
        // The first of them is asked first.
        let (done, ()) = tokio::join!(biased; work, async move { drop(held) });
        done
    }

    #[tokio::test]
    async fn who_waits_for_another_process_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let client = client(folder);
        let meeting = client.meet_bundle("other", bundle());
        while_held(folder, "known_agents.lock", meeting)
            .await
            .unwrap();
        let key = EncryptionPublicKey::try_from([8; 32]).unwrap();
        let meeting = client.meet_compatible(AgentId::from_bytes([3; 16]), "third", key);
        while_held(folder, "known_agents.lock", meeting)
            .await
            .unwrap();
        // The keys are swept first; then there is no server.
        let tended = while_held(folder, "keys.lock", client.tend_own_keys());
        assert_eq!(tended.await.unwrap_err().code(), "UNREACHABLE");
        fs::create_dir(folder.join("received")).unwrap();
        let sender = folder.join(format!("received/{OTHER}.json"));
        write_private(&sender, br#"{"v":1,"floor":null,"transfers":{}}"#).unwrap();
        let tended = while_held(folder, "received/received.lock", client.tend_own_keys());
        assert_eq!(tended.await.unwrap_err().code(), "UNREACHABLE");
    }
}
