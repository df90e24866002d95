//! What people are shown of two agents, and what is believed because of it.

use agentdrop_client::Client;
use agentdrop_client::trust::How;
use agentdrop_protocol::AgentId;

use agentdrop_testkit::hostile::{Answered, Asked};

use super::world::World;

fn id(of: &Client) -> AgentId {
    of.identity().unwrap().agent_uuid().unwrap()
}

#[tokio::test]
async fn both_sides_are_shown_the_same() {
    let world = World::start().await;
    let mine = world.alice.own_keys().unwrap().unwrap();
    let theirs = world.bob.own_keys().unwrap().unwrap();
    assert!(mine.published && theirs.published);
    let here = world.alice.comparison(theirs.fingerprint).unwrap().unwrap();
    let there = mine.fingerprint.to_string();
    let there = world.bob.comparison_with(&there).unwrap().unwrap();
    assert_eq!((here.mine, here.theirs), (there.theirs, there.mine));
    assert_eq!((&here.digits, &here.words), (&there.digits, &there.words));
    let wrong = world.bob.comparison_with("adk1").unwrap_err();
    assert_eq!(wrong.code(), "BAD_ANSWER");

    let carol = world.agent("carol", false).await;
    assert_eq!(carol.own_keys().unwrap(), None);
    assert_eq!(carol.comparison(theirs.fingerprint).unwrap(), None);
    assert!(carol.is_me(id(&carol)) && !carol.is_me(id(&world.bob)));
}

#[tokio::test]
async fn who_was_paired_is_known_by_what_people_were_shown_and_by_nothing_else() {
    let world = World::start().await;
    let bob = id(&world.bob);
    let known = world.alice.known_agents().unwrap().unwrap();
    let theirs = world.bob.own_keys().unwrap().unwrap().fingerprint;
    let another = world.alice.own_keys().unwrap().unwrap().fingerprint;
    let paired = async |shown: &str| world.alice.paired_by(bob, "bob", shown).await;
    assert!(!paired(&another.to_string()).await.unwrap());
    let how = || known.look_up(bob).unwrap().unwrap().how;
    assert_eq!(how(), How::FirstUse);
    assert!(paired(&theirs.to_string()).await.unwrap());
    assert_eq!(how(), How::Pairing);
    assert_eq!(paired("adk1").await.unwrap_err().code(), "BAD_ANSWER");
    let carol = world.agent("carol", false).await;
    let shown = theirs.to_string();
    let compatible = world.alice.paired_by(id(&carol), "carol", &shown);
    assert!(!compatible.await.unwrap());
}

#[tokio::test]
async fn whoever_is_looked_at_is_known_from_then_on() {
    let world = World::start().await;
    let bob = id(&world.bob);
    let look_at = async || world.alice.look_at(bob, "bob").await;
    let met = look_at().await.unwrap().unwrap();
    let key = world.bob.own_keys().unwrap().unwrap().fingerprint;
    assert_eq!((met.agent, met.key.clone()), (bob, key.to_string()));
    assert!(met.is_new());
    assert!(!look_at().await.unwrap().unwrap().is_new());
}

#[tokio::test]
async fn that_there_is_no_bundle_only_the_api_can_say() {
    let world = World::start().await;
    let carol = world.agent("carol", false).await;
    let asked = |answer: fn(Answered) -> Answered| {
        world.lie(move |asked: &Asked, answered| {
            if asked.path.ends_with("/bundle") {
                answer(answered)
            } else {
                answered
            }
        });
        world.alice.look_at(id(&carol), "carol")
    };
    let none: [fn(Answered) -> Answered; 4] = [
        |it| it,
        |_| Answered::refused(404, "NO_BUNDLE"),
        |_| Answered::refused(404, "NOT_FOUND"),
        |_| Answered::refused(405, "METHOD_NOT_ALLOWED"),
    ];
    for answer in none {
        assert_eq!(asked(answer).await.unwrap(), None);
    }
    let forbidden = asked(|_| Answered::refused(403, "FORBIDDEN")).await;
    assert_eq!(forbidden.unwrap_err().code(), "FORBIDDEN");
    let elsewhere = asked(|_| {
        let mut answer = Answered::refused(404, "");
        answer.headers.clear();
        answer.with("<h1>not found</h1>")
    });
    elsewhere.await.unwrap_err();
}
