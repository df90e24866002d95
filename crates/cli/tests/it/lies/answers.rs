//! Answers that are none, or to another question: whatever is listed, shown or received.

use agentdrop_testkit::hostile::lies::{refusing, whenever};
use agentdrop_testkit::hostile::{Answered, Asked, Lie};
use reqwest::StatusCode;
use reqwest::header::{HeaderValue, LOCATION};
use serde_json::{Value, json};

use super::{Row, Scene, Stage, tell};

const BAD: &str = "BAD_ANSWER";

pub(super) const ROWS: &[Row] = &[
    Row::receives("a page where an inbox was asked for", BAD, |_| {
        inbox(|it| it.with("<html>sign in</html>"))
    })
    .runs("bob", "inbox")
    .broken(),
    Row::receives("an inbox deeper than a stack", BAD, |_| {
        inbox(|it| it.with("[".repeat(1_000_000)))
    })
    .runs("bob", "inbox")
    .broken(),
    Row::receives("an inbox longer than memory", BAD, |_| {
        inbox(|it| it.with(" ".repeat(9 << 20)))
    })
    .runs("bob", "inbox")
    .broken(),
    Row::receives("an inbox elsewhere", BAD, |_| {
        inbox(|mut it| {
            it.status = StatusCode::PERMANENT_REDIRECT;
            let to = HeaderValue::from_static("http://192.0.2.1/v1/transfers/inbox");
            it.headers.insert(LOCATION, to);
            it
        })
    })
    .runs("bob", "inbox")
    .broken(),
    Row::receives("no inbox, for whoever receives all", BAD, |_| {
        inbox(|it| it.with("{}"))
    })
    .runs("bob", "receive --all --to {in}")
    .broken()
    .alone(),
    Row::receives("a sign-in page of a network", "UNKNOWN", |_| {
        inbox(|mut it| {
            it.status = StatusCode::FORBIDDEN;
            it.with("<html>sign in</html>")
        })
    })
    .runs("bob", "inbox")
    .broken(),
    Row::receives("a key that is not taken", "UNAUTHORIZED", |_| {
        refusing(is_inbox, 401, "UNAUTHORIZED")
    })
    .runs("bob", "inbox"),
    Row::receives("no such transfer", "NOT_FOUND", |_| {
        refusing(|it| it.path.ends_with("/download"), 404, "NOT_FOUND")
    }),
    Row::receives("a transfer that is gone", "GONE", |_| {
        refusing(|it| it.path.ends_with("/download"), 410, "GONE")
    }),
    Row::receives("another transfer than was named", BAD, another)
        .given(Scene::send_two)
        .broken(),
    Row::receives("another transfer than was to be shown", BAD, another)
        .given(Scene::send_two)
        .runs("bob", "show {id}")
        .broken(),
    Row::receives("a transfer that is no JSON", BAD, |scene| {
        let path = format!("/v1/transfers/{}", scene.id());
        Box::new(move |asked: &Asked, answered| {
            if asked.path == path {
                return answered.with("{\"id\":");
            }
            answered
        })
    })
    .broken(),
];

fn inbox(mut change: impl FnMut(Answered) -> Answered + Send + 'static) -> Lie {
    Box::new(move |asked, answered| {
        if is_inbox(asked) {
            return change(answered);
        }
        answered
    })
}

fn is_inbox(asked: &Asked) -> bool {
    asked.path.ends_with("/inbox")
}

/// Of the transfer that is asked for, what there is to say of the one before.
fn another(scene: &Scene) -> Lie {
    let (path, before) = (format!("/v1/transfers/{}", scene.id()), scene.listing());
    whenever(move |it| it.path == path, move |it| it.clone_from(&before))
}

#[test]
fn answers_that_are_none_are_not_taken_for_any() {
    tell(ROWS, Stage::scene);
}

#[test]
fn an_inbox_that_says_the_same_for_ever_is_not_read_for_ever() {
    let stage = Stage::new();
    let mut scene = stage.scene();
    scene.send();
    scene.relay.forget();
    let mut first: Option<Value> = None;
    scene.relay.lie(whenever(is_inbox, move |it| {
        *it = first.get_or_insert_with(|| it.clone()).clone();
        it["has_more"] = json!(true);
        it["next_cursor"] = json!(null);
    }));
    scene.json("bob", "receive --all --to {in}");
    scene.expect_received();
    let pages = scene.relay.asked().into_iter().filter(is_inbox).count();
    assert_eq!(pages, 2);
}
