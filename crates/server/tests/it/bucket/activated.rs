//! What waits for a person in a bucket.

use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::{TestServer, text};

use crate::activation::{opened, send};
use crate::parties::{Parties, Party};
use crate::receive_passwords::put;
use crate::uploads::bytes;
use crate::world::until;

#[tokio::test]
async fn what_waits_in_a_bucket_is_encrypted_for_whom_it_waits() {
    for engine in Engine::ALL {
        let bucket = TestBucket::new().await;
        let parties = Parties::on(TestServer::in_bucket(engine, &bucket).await).await;
        let server = &parties.server;
        let large = bytes(9 << 20, 3);
        let files: [(&str, &[u8]); 3] = [("a.txt", b"0123456789"), ("b", b""), ("c.bin", &large)];
        let sent = send(&parties, "pat@example.org", &files).await;
        let before = bucket.objects().await;
        assert_eq!(before.len(), 3);

        let pat = Party::new(server, "Pat", "pat@example.org").await;
        let key = ReceiveKey::new();
        let session = server.session_of(&pat.account).await;
        put(server, &session, &key.password()).await.expect(200);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let active = async || pat.get(&path).await.expect(200)["status"] == "active";
        until("what waited is activated", active).await;
        let replaced = async || {
            let now = bucket.objects().await;
            now.len() == 4 && now.iter().all(|it| !before.contains(it))
        };
        until("the bytes before are deleted", replaced).await;

        let grant = pat.get(&format!("{path}/download")).await.expect(200);
        let found = opened(&pat, server, &grant, &key).await;
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert!(found == expected);
    }
}
