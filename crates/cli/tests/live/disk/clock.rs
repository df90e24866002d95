//! A clock that jumps a day, there and back.

use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::server::text;
use serde_json::json;

use super::Disk;
use crate::by_hand;
use crate::calls::Caller;
use crate::model::{Attempt, Attempts, Chance, Outcome, content};
use crate::work::Way;

/// How often it jumps; `AGENTDROP_TEST_CLOCK_JUMPS` says otherwise.
const JUMPS: u32 = 20;
const DAY: i64 = 24 * 60 * 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_loses_nothing_and_holds_nobody_up() {
    for engine in Engine::ALL {
        let (disk, other) = (Disk::new(), database(engine).await);
        let database = disk.database(engine, other.url());
        let server = disk.serve(&database).await;
        let key = server.account().await;
        let (mut attempts, mut chance) = (Attempts::default(), Chance(0xc10c));
        let mut last_event = 0;
        for round in 0..by_hand::said("AGENTDROP_TEST_CLOCK_JUMPS", JUMPS) {
            let days = i64::try_from(chance.below(3)).unwrap() - 1;
            disk.set_clock(days * DAY);
            let caller = Caller::new(&server.http, &key);
            for n in 0..2 {
                let label = format!("c{round}-{n}");
                let (way, size) = Way::by(&mut chance);
                let sent = way.send(&caller, &label, content(&label, size)).await;
                let id = sent.expect("it is sent whatever the clock says");
                let (download, _) = caller.fetch(&id).await.expect("and fetched");
                caller.acknowledge(&id, &download).await.unwrap();
                let attempt = Attempt::new(label, size, Outcome::Acknowledged(id));
                attempts.extend(vec![attempt]);
            }
            // What was sent at another time of the clock is there, too.
            attempts.check(&server, &key, &mut chance).await;
            // One that counts on the order of events misses none.
            let path = format!("/v1/events?since={last_event}");
            let events = server.http.get(&path, &key).await.expect(200);
            let events = events["events"].as_array().unwrap().clone();
            let created = events.iter().filter(|it| it["type"] == "transfer.created");
            assert_eq!(created.count(), 2, "{events:?}");
            last_event = events[events.len() - 1]["id"].as_u64().unwrap();
            // A key that is made now works now.
            let made = json!({ "name": format!("r{round}") });
            let made = server.http.post("/v1/api-keys", &key, &made).await;
            let (made, path) = (made.expect(201), "/v1/account");
            server
                .http
                .get(path, &text(&made, "api_key"))
                .await
                .expect(200);
        }
        disk.set_clock(0);
        attempts.check_all(&server, &key).await;
        server.http.get("/readyz", "").await.expect(200);
        server.stop().await;
        disk.check(&database);
    }
}
