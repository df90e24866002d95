//! What ends a link: the same answer for whatever ended it.

use std::time::Duration;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, TestServer, text};
use serde_json::json;

use super::{Link, SEALED, enrol};
use crate::bad_input::no_link;
use crate::parties::{Parties, Party};
use crate::receive_passwords::KEY;
use crate::world::{assert_same, everything, file_url};

/// Checks that a link leads nowhere, as one that never was.
async fn is_over(server: &TestServer, link: &Link, grant: Option<&serde_json::Value>) {
    let unknown = Link {
        token: no_link(),
        transfer: link.transfer.clone(),
    };
    let never = unknown.show(server).await;
    never.expect_error(410, "GONE");
    let grant = grant
        .cloned()
        .unwrap_or_else(|| json!({ "download_id": "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6" }));
    let answers: [Answer; 5] = [
        link.show(server).await,
        link.download(server).await,
        link.ack(server, &grant).await,
        unknown.download(server).await,
        unknown.ack(server, &grant).await,
    ];
    for answer in &answers {
        assert_same("a link that is over", answer, &never);
    }
}

async fn sealed(parties: &Parties) -> Link {
    let (server, key) = (&parties.server, &parties.alex.account.key);
    Link::sealed(server, key, "data-pipeline", &parties.jamie.email).await
}

#[tokio::test]
async fn a_link_ends_with_its_transfer() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        enrol(server, jamie, KEY).await;
        let links = [sealed(parties).await, sealed(parties).await];
        let grant = links[0].download(server).await.expect(200);
        // By its sender, and by whom it is for.
        alex.delete(&links[0].path()).await.expect(200);
        jamie.delete(&links[1].path()).await.expect(200);
        is_over(server, &links[0], Some(&grant)).await;
        is_over(server, &links[1], None).await;

        let key = &alex.account.key;
        let waits = Link::plain(server, key, "data-pipeline", "new@example.org").await;
        let expires = sealed(parties).await;
        server.clock.advance(Duration::from_hours(24));
        is_over(server, &expires, None).await;
        is_over(server, &waits, None).await;
        server.sweep().await;
        is_over(server, &expires, None).await;
        // Of what is over no link is kept.
        assert_eq!(everything(server).await["transfer_links"], [""; 0]);
    }
}

#[tokio::test]
async fn a_link_ends_with_the_last_download() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        enrol(server, jamie, KEY).await;
        let mut fields = SEALED.to_vec();
        fields.push(("max_downloads", "1"));
        let key = &alex.account.key;
        let once = Link::sent(server, key, "data-pipeline", &jamie.email, &fields).await;
        let grant = once.download(server).await.expect(200);
        once.show(server).await.expect_error(410, "GONE");
        once.download(server).await.expect_error(410, "GONE");
        once.ack(server, &grant).await.expect(200);
        // As long as the grant is, so that it can be said how it ended.
        server.sweep().await;
        assert_eq!(everything(server).await["transfer_links"].len(), 1);
        server.clock.advance(Duration::from_hours(1));
        server.sweep().await;
        assert_eq!(everything(server).await["transfer_links"], [""; 0]);
        is_over(server, &once, Some(&grant)).await;

        fields.push(("auto_delete", "true"));
        let deleted = Link::sent(server, key, "data-pipeline", &jamie.email, &fields).await;
        let grant = deleted.download(server).await.expect(200);
        deleted.ack(server, &grant).await.expect(200);
        is_over(server, &deleted, Some(&grant)).await;
    }
}

#[tokio::test]
async fn a_link_ends_when_one_of_the_two_blocks_the_other() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        enrol(server, jamie, KEY).await;
        let connection = alex.connect(jamie).await;
        let (link, other) = (sealed(parties).await, sealed(parties).await);
        let grant = link.download(server).await.expect(200);
        let path = format!("/v1/connections/{connection}/block");
        jamie.post(&path, &json!({})).await.expect(200);
        is_over(server, &link, Some(&grant)).await;
        is_over(server, &other, None).await;
        let got = server.http.get(&file_url(&grant, 0), "").await;
        got.expect_error(410, "GONE");
        let sent = alex.get(&link.path()).await.expect(200);
        assert_eq!(sent["status"], "deleted");
    }
}

/// Whoever is blocked before it is known whose the address is.
#[tokio::test]
async fn a_link_leads_nowhere_between_accounts_of_which_one_has_blocked_the_other() {
    for parties in &Parties::each().await {
        let Parties { server, alex, .. } = parties;
        let pat = Party::new(server, "Pat", "pat@example.org").await;
        let connection = alex.connect(&pat).await;
        let verified =
            |at: &str| format!("UPDATE accounts SET email_verified_at = {at} WHERE name = 'Pat'");
        crate::world::run_sql(server, &verified("NULL")).await;
        let path = format!("/v1/connections/{connection}/block");
        alex.post(&path, &json!({})).await.expect(200);
        let link = Link::plain(server, &alex.account.key, "data-pipeline", &pat.email).await;
        let shown = link.show(server).await.expect(200);
        assert_eq!(shown["next_step"], "sign_up");
        crate::world::run_sql(server, &verified("1")).await;
        is_over(server, &link, None).await;
    }
}

#[tokio::test]
async fn a_link_ends_with_either_account() {
    for parties in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = parties;
        enrol(server, jamie, KEY).await;
        let body = json!({ "password": PASSWORD });
        let delete = async |session: &str| {
            let request = server.http.request("DELETE", "/v1/account", session);
            send(request.json(&body)).await.expect(200);
        };
        let link = sealed(parties).await;
        let session = server.sign_in(&jamie.email).await;
        delete(&session).await;
        is_over(server, &link, None).await;

        let link = Link::plain(server, &alex.account.key, "data-pipeline", &jamie.email).await;
        assert_eq!(text(&link.transfer, "status"), "pending_recipient");
        link.show(server).await.expect(200);
        let session = server.session_of(&alex.account).await;
        delete(&session).await;
        is_over(server, &link, None).await;
        assert_eq!(everything(server).await["transfer_links"], [""; 0]);
    }
}
