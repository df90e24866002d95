//! Lists that are read page by page, while others are written to.

use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::world::World;

const LISTS: [&str; 3] = [
    "/v1/transfers",
    "/v1/transfers/inbox",
    "/v1/agents/bob/inbox",
];

fn ids(page: &Value) -> Vec<String> {
    let transfers = page["transfers"].as_array().unwrap().iter();
    transfers.map(|it| text(it, "id")).collect()
}

#[tokio::test]
async fn nothing_is_seen_twice_or_missed_while_more_comes_in() {
    for world in &World::each().await {
        let tick = || {
            let second = std::time::Duration::from_secs(1);
            world.server.clock.advance(second);
        };
        for list in LISTS {
            let before = world.get(&format!("{list}?limit=100")).await.expect(200);
            let mut expected = ids(&before);
            for _ in 0..5 {
                tick();
                expected.insert(0, text(&world.sent(&[]).await, "id"));
            }
            tick();
            let (mut seen, mut page) = (Vec::new(), format!("{list}?limit=2"));
            loop {
                let found = world.get(&page).await.expect(200);
                seen.extend(ids(&found));
                assert_eq!(found["offset"], 0);
                assert_eq!(found["has_more"], found["next_cursor"].is_string());
                let Some(next) = found["next_cursor"].as_str() else {
                    break;
                };
                page = format!("{list}?limit=2&cursor={next}");
                world.sent(&[]).await;
                tick();
            }
            assert_eq!(seen, expected, "{list}");
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_where_an_offset_began_and_within_the_filter() {
    for world in &World::each().await {
        for _ in 0..4 {
            world.sent(&[]).await;
            world
                .server
                .clock
                .advance(std::time::Duration::from_secs(1));
        }
        for list in LISTS {
            let all = ids(&world.get(list).await.expect(200));
            let page = world.get(&format!("{list}?limit=1&offset=1")).await;
            let page = page.expect(200);
            let next = format!("{list}?cursor={}&limit=2", text(&page, "next_cursor"));
            let rest = world.get(&next).await.expect(200);
            assert_eq!(ids(&rest), all[2..]);
            assert_eq!(
                (&rest["total"], &rest["next_cursor"]),
                (&json!(4), &Value::Null)
            );
            let none = world.get(&format!("{next}&status=expired")).await;
            assert_eq!(ids(&none.expect(200)), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused() {
    for world in &World::each().await {
        world.sent(&[]).await;
        world.sent(&[]).await;
        for list in LISTS {
            let page = world.get(&format!("{list}?limit=1")).await.expect(200);
            let good = text(&page, "next_cursor");
            let (number, long) = ("AQAAAAAAAAAH", "A".repeat(65));
            let version = good.replacen('A', "B", 1);
            let mut cut = good.clone();
            cut.pop();
            for bad in ["x", "%00", "AQ", "a%2Fb", number, &*long, &*version, &cut] {
                let refused = world.get(&format!("{list}?cursor={bad}")).await;
                let error = refused.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], "cursor", "{bad}: {error}");
            }
            for both in ["offset=0", "offset=1"] {
                let refused = world.get(&format!("{list}?cursor={good}&{both}")).await;
                let error = refused.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], "cursor", "{error}");
            }
        }
    }
}
