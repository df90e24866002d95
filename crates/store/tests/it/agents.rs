use std::time::Duration;

use agentdrop_domain::Scope;
use agentdrop_domain::agents::{Agent, AgentState, KeyVersion};
use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::wire::agents::AgentType;
use agentdrop_protocol::{AgentId, AgentRef};
use agentdrop_store::{Constraint, Error, Result, Store, Tx};
use agentdrop_testkit::engines::{Engine, TestStore, store, stores};
use tokio::time::timeout;

use crate::things::{
    Cast, Refusal, agent, agent_keys, at, begin, channel, connection_token, digest, download, file,
    file_id, key, key_id, race, run_sql, texts, transfer, write, write_transfers,
};

async fn found(store: &Store, agent: &Agent) -> Option<Agent> {
    let mut reader = store.read().await.unwrap();
    let found = reader.agent_by_id_of(agent.account, agent.id).await;
    found.unwrap()
}

/// An agent of which everything is known.
fn full(cast: &Cast) -> Agent {
    let said = serde_json::json!({ "tags": ["a", null], "escaped": "\u{0}\"é" });
    let mut agent = agent(&cast.alice, "A.b_C-9");
    agent.description = Some("two\nlines".parse().unwrap());
    agent.webhook_url = Some("https://example.org/hook".parse().unwrap());
    agent.agent_type = AgentType::LangChain;
    agent.metadata.clone_from(said.as_object().unwrap());
    agent.available_for_connections = false;
    agent.last_seen_at = Some(at(3));
    agent.connect(agent_keys(9, Some(8)))
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let full = full(&cast);
        let new = full.clone();
        write(&store, async move |tx| tx.insert_agent(&new).await).await;
        let mut reader = store.read().await.unwrap();
        for it in [&full, &cast.ann] {
            for named in [AgentRef::Id(it.id), AgentRef::Slug(it.slug.clone())] {
                let found = reader.agent_of(cast.alice.id, &named).await.unwrap();
                assert_eq!(found.as_ref(), Some(it), "{store:?}");
                let (owner, named) = (cast.alice.id, named.clone());
                let kept = write(&store, async move |tx| {
                    tx.keep_agent_of(owner, &named).await
                });
                assert_eq!(kept.await.as_ref(), Some(it), "{store:?}");
            }
            let found = reader.agent_by_id_of(cast.alice.id, it.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(it), "{store:?}");
            let (owner, id) = (cast.alice.id, it.id);
            let held = write(&store, async move |tx| tx.hold_agent_of(owner, id).await).await;
            assert_eq!(held.as_ref(), Some(it), "{store:?}");
        }
        let all = reader.agents_of(cast.alice.id).await.unwrap();
        assert_eq!(all, [cast.ann, full], "oldest first");
    }
}

#[tokio::test]
async fn anothers_agent_is_not_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let connected = cast.ben.clone().connect(agent_keys(9, None));
        write(&store, async move |tx| {
            tx.update_agent_keys(&connected, at(1)).await
        })
        .await;
        let (mallory, ben) = (cast.mallory.id, cast.ben.id);
        let mut reader = store.read().await.unwrap();
        for named in [AgentRef::Id(ben), AgentRef::Slug(cast.ben.slug.clone())] {
            assert_eq!(reader.agent_of(mallory, &named).await.unwrap(), None);
            let kept = write(&store, async move |tx| {
                tx.keep_agent_of(mallory, &named).await
            });
            assert_eq!(kept.await, None, "{store:?}");
        }
        assert_eq!(reader.agent_by_id_of(mallory, ben).await.unwrap(), None);
        let held = write(&store, async move |tx| tx.hold_agent_of(mallory, ben).await);
        assert_eq!(held.await, None, "{store:?}");
        assert_eq!(reader.key_versions_of(mallory, ben).await.unwrap(), []);
        let own = reader.agents_of(mallory).await.unwrap();
        assert_eq!(own, std::slice::from_ref(&cast.imp), "{store:?}");
        // Both have one that goes by this name.
        let named = AgentRef::Slug("ann".parse().unwrap());
        let own = reader.agent_of(mallory, &named).await.unwrap();
        assert_eq!(own, Some(cast.imp), "{store:?}");
    }
}

#[tokio::test]
async fn a_slug_is_taken_once_in_an_account() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [again, elsewhere] = [agent(&cast.alice, "ann"), agent(&cast.bob, "ann")];
        let taken = store.write(async move |tx| tx.insert_agent(&again).await);
        let taken = taken.await;
        assert!(
            matches!(taken, Err(Error::Conflict(Constraint::AgentSlug))),
            "{taken:?}"
        );
        write(&store, async move |tx| tx.insert_agent(&elsewhere).await).await;
    }
}

#[tokio::test]
async fn what_is_said_of_an_agent_changes_and_nothing_else() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let before = full(&cast);
        let after = Agent {
            name: "Other".parse().unwrap(),
            description: None,
            webhook_url: None,
            agent_type: AgentType::N8n,
            metadata: serde_json::Map::new(),
            available_for_connections: true,
            ..before.clone()
        };
        // What is decided elsewhere: an update that took it from here would undo it.
        let stale = Agent {
            slug: "other".parse().unwrap(),
            state: AgentState::Disconnected,
            key_version: 7,
            last_seen_at: None,
            ..after.clone()
        };
        write(&store, async move |tx| {
            tx.insert_agent(&before).await?;
            tx.update_agent(&stale).await
        })
        .await;
        assert_eq!(found(&store, &after).await, Some(after), "{store:?}");
        assert_eq!(found(&store, &cast.ann).await, Some(cast.ann), "{store:?}");
    }
}

#[tokio::test]
async fn every_key_that_an_agent_had_is_remembered() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = cast.ann.clone().connect(agent_keys(9, None));
        let second = first.clone().connect(agent_keys(8, Some(7)));
        let wiped = second.clone().disconnect().unwrap();
        let third = wiped.clone().connect(agent_keys(6, None));
        for (agent, now) in [(&first, 1), (&second, 2), (&wiped, 3), (&third, 4)] {
            let updating = agent.clone();
            let unit = async move |tx: &mut Tx| tx.update_agent_keys(&updating, at(now)).await;
            write(&store, unit).await;
            assert_eq!(
                found(&store, agent).await.as_ref(),
                Some(agent),
                "{store:?}"
            );
        }
        let version = |version, keys, from, until: Option<i64>| KeyVersion {
            version,
            keys,
            created_at: at(from),
            retired_at: until.map(at),
        };
        let mut reader = store.read().await.unwrap();
        let versions = reader.key_versions_of(cast.alice.id, cast.ann.id).await;
        assert_eq!(
            versions.unwrap(),
            [
                version(3, agent_keys(6, None), 4, None),
                version(2, agent_keys(8, Some(7)), 2, Some(3)),
                version(1, agent_keys(9, None), 1, Some(2)),
            ],
            "{store:?}"
        );
        let other = reader.key_versions_of(cast.bob.id, cast.ben.id).await;
        assert_eq!(other.unwrap(), [], "{store:?}");
    }
}

#[tokio::test]
async fn an_agent_that_comes_with_keys_has_had_them_from_the_start() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let full = full(&cast);
        let (new, id) = (full.clone(), full.id);
        write(&store, async move |tx| tx.insert_agent(&new).await).await;
        let mut reader = store.read().await.unwrap();
        let versions = reader.key_versions_of(cast.alice.id, id).await.unwrap();
        let only = KeyVersion {
            version: 1,
            keys: agent_keys(9, Some(8)),
            created_at: full.created_at,
            retired_at: None,
        };
        assert_eq!(versions, [only], "{store:?}");
    }
}

#[tokio::test]
async fn a_row_that_contradicts_itself_is_told() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let sql = "UPDATE agents SET status = 'connected'";
        run_sql(store.database(), sql).await;
        let mut reader = store.read().await.unwrap();
        let read = reader.agent_by_id_of(cast.alice.id, cast.ann.id).await;
        let Err(Error::Corrupt { column, id }) = read else {
            panic!("{read:?}");
        };
        assert_eq!((column, id), ("agents.status", cast.ann.id.to_string()));
    }
}

#[tokio::test]
async fn a_token_is_taken_with_what_it_says() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let token = connection_token(&cast.ann);
        let new = token.clone();
        let (taken, agent, again, absent) = write(&store, async move |tx| {
            tx.insert_connection_token(&new).await?;
            let taken = tx.take_connection_token(&new.digest).await?;
            let agent = tx.hold_agent_of_token(&new).await?;
            let again = tx.take_connection_token(&new.digest).await?;
            Ok((
                taken,
                agent,
                again,
                tx.take_connection_token(&digest()).await?,
            ))
        })
        .await;
        assert_eq!(taken, Some(token), "{store:?}");
        assert_eq!(agent, Some(cast.ann), "{store:?}");
        assert_eq!((again, absent), (None, None), "{store:?}");
    }
}

#[tokio::test]
async fn a_refused_unit_leaves_its_token() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let token = connection_token(&cast.ann);
        let new = token.clone();
        write(&store, async move |tx| {
            tx.insert_connection_token(&new).await
        })
        .await;
        let digest = token.digest;
        let refused = store.write(async move |tx| {
            tx.take_connection_token(&digest).await?;
            Err::<(), _>(Refusal::Gone)
        });
        assert!(matches!(refused.await, Err(Refusal::Gone)));
        let taken = write(&store, async move |tx| {
            tx.take_connection_token(&digest).await
        });
        assert_eq!(taken.await, Some(token), "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_take_a_token_one_gets_it() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let token = connection_token(&cast.ann);
        let digest = token.digest;
        write(&store, async move |tx| {
            tx.insert_connection_token(&token).await
        })
        .await;
        let got = race(32, |racer| {
            let store = store.clone();
            async move {
                let unit = async move |tx: &mut Tx| -> Result<_> {
                    let Some(token) = tx.take_connection_token(&digest).await? else {
                        return Ok(None);
                    };
                    let agent = tx.hold_agent_of_token(&token).await?.unwrap();
                    let key = u8::try_from(racer).unwrap() + 9;
                    let agent = agent.connect(agent_keys(key, None));
                    tx.update_agent_keys(&agent, at(1)).await?;
                    Ok(Some(agent))
                };
                store.write(unit).await
            }
        })
        .await;
        let got: Vec<_> = got.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(got.len(), 1, "{store:?}");
        assert_eq!(found(&store, &cast.ann).await.as_ref(), got.first());
        assert_eq!(got[0].key_version, 1, "{store:?}");
    }
}

/// It is for the first key: who finds it in an old log must not replace the one in use, nor
/// bring an agent back that was disconnected.
#[tokio::test]
async fn a_token_ends_when_its_agent_gets_keys_or_loses_them_another_way() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        for changed in [
            cast.ann.clone().connect(agent_keys(9, None)),
            cast.ann.clone().disconnect().unwrap(),
        ] {
            let [token, other] = [&cast.ann, &cast.ben].map(connection_token);
            let taken = write(&store, async move |tx| {
                tx.insert_connection_token(&token).await?;
                tx.insert_connection_token(&other).await?;
                tx.update_agent_keys(&changed, at(1)).await?;
                let taken = tx.take_connection_token(&token.digest).await?;
                let others = tx.take_connection_token(&other.digest).await?;
                Ok((taken.is_some(), others.is_some()))
            })
            .await;
            assert_eq!(taken, (false, true), "{store:?}");
        }
    }
}

#[tokio::test]
async fn tokens_past_their_time_are_swept() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut tokens = [(); 3].map(|()| connection_token(&cast.ann));
        for (token, until) in tokens.iter_mut().zip([9, 10, 11]) {
            token.expires_at = at(until);
        }
        let left = write(&store, async move |tx| {
            for it in &tokens {
                tx.insert_connection_token(it).await?;
            }
            let swept = tx.delete_expired_connection_tokens(at(10)).await?;
            assert_eq!(swept, 2);
            let mut left = vec![];
            for it in &tokens {
                left.push(tx.take_connection_token(&it.digest).await?.is_some());
            }
            Ok(left)
        })
        .await;
        assert_eq!(left, [false, false, true], "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_that_connects_while_it_is_deleted_is_in_nobodys_way() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        for _ in 0..20 {
            let new = agent(&cast.alice, "fleeting");
            let (token, gone) = (connection_token(&new), new.clone());
            let digest = token.digest;
            write(&store, async move |tx| {
                tx.insert_agent(&new).await?;
                tx.insert_connection_token(&token).await
            })
            .await;
            let connecting = race(4, |_| {
                let store = store.clone();
                let unit = async move |tx: &mut Tx| -> Result<()> {
                    if let Some(token) = tx.take_connection_token(&digest).await? {
                        let agent = tx.hold_agent_of_token(&token).await?.unwrap();
                        let agent = agent.connect(agent_keys(9, None));
                        tx.update_agent_keys(&agent, at(1)).await?;
                    }
                    Ok(())
                };
                async move { store.write(unit).await }
            });
            let deleting = store.write(async move |tx| tx.delete_agent(&gone).await);
            let (connected, deleted) = tokio::join!(connecting, deleting);
            for it in connected {
                it.unwrap();
            }
            deleted.unwrap();
        }
    }
}

#[tokio::test]
async fn with_an_agent_goes_all_that_is_its() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut sent = transfer(&cast.ann, &cast.ben);
        sent.files = vec![file(), file()];
        let received = transfer(&cast.ben, &cast.ann);
        let others = transfer(&cast.ben, &cast.imp);
        write_transfers(&store, &[&sent, &received, &others]).await;
        let keys = [&cast.ann, &cast.imp].map(|it| key(it.account, Scope::Agent(it.id)));
        let channels = [channel(&cast.ann, &cast.ben), channel(&cast.imp, &cast.ben)];
        let tokens = [&cast.ann, &cast.imp].map(connection_token);
        let grants = [download(&received), download(&others)];
        let connected = [&cast.ann, &cast.imp].map(|it| it.clone().connect(agent_keys(9, None)));
        let gone = connected[0].clone();
        let mut deleted = write(&store, async move |tx| {
            for (n, agent) in connected.iter().enumerate() {
                tx.update_agent_keys(agent, at(1)).await?;
                tx.insert_key(&keys[n]).await?;
                tx.insert_or_find_channel(&channels[n]).await?;
                tx.insert_connection_token(&tokens[n]).await?;
                tx.insert_download(&grants[n]).await?;
                tx.insert_streamed_file(grants[n].id, file_id()).await?;
            }
            tx.delete_agent(&gone).await
        })
        .await;
        deleted.sort();
        assert_eq!(deleted, [(sent.id, 2), (received.id, 1)], "{store:?}");

        assert_eq!(found(&store, &cast.ann).await, None, "{store:?}");
        for table in [
            "agent_keys",
            "api_keys",
            "channels",
            "connection_tokens",
            "downloads",
            "streamed_files",
            "transfers",
        ] {
            let one_a_row = format!("SELECT '1' FROM {table}");
            let left = texts(store.database(), &one_a_row).await;
            assert_eq!(left.len(), 1, "{store:?}: {table}");
        }
    }
}

async fn agents_of_transfers(store: &TestStore) -> Vec<String> {
    let sql = "SELECT sender_agent_id FROM transfers
               UNION SELECT recipient_agent_id FROM transfers";
    texts(store.database(), sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_deletes_an_agent_waits_for_a_transfer_that_is_being_written() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        for (new, gone) in [
            (transfer(&cast.ann, &cast.ben), cast.ann.clone()),
            (transfer(&cast.ben, &cast.imp), cast.imp.clone()),
        ] {
            let id = new.id;
            let slow = begin(&store, move |tx| {
                Box::pin(async move { tx.insert_transfer(&new).await })
            })
            .await;
            let deleted = write(&store, async move |tx| tx.delete_agent(&gone).await).await;
            slow.await.unwrap().unwrap();
            // Its bytes were not forgotten either.
            assert_eq!(deleted, [(id, 1)], "{store:?}");
            let left = agents_of_transfers(&store).await;
            assert!(left.is_empty(), "{store:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_writes_a_transfer_while_an_agent_is_deleted_finds_none() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let gone = cast.ann.clone();
        let slow = begin(&store, move |tx| {
            Box::pin(async move { tx.delete_agent(&gone).await })
        })
        .await;
        let (owner, named) = (cast.alice.id, AgentRef::Id(cast.ann.id));
        let kept = write(&store, async move |tx| {
            tx.keep_agent_of(owner, &named).await
        });
        assert_eq!(kept.await, None, "{store:?}");
        slow.await.unwrap().unwrap();

        // And who did not ask, is refused.
        for new in [
            transfer(&cast.ann, &cast.ben),
            transfer(&cast.ben, &cast.ann),
        ] {
            let refused = store
                .write(async move |tx| tx.insert_transfer(&new).await)
                .await;
            assert!(matches!(refused, Err(Error::Engine(_))), "{refused:?}");
        }
        let left = agents_of_transfers(&store).await;
        assert!(left.is_empty(), "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_transfer_outlives_its_agents() {
    async fn send(store: Store, new: Transfer) -> Result<(), Refusal> {
        let named = AgentRef::Id(new.recipient.agent().unwrap());
        store
            .write(async move |tx| {
                let owner = new.recipient.account().unwrap();
                let kept = tx.keep_agent_of(owner, &named).await?;
                kept.ok_or(Refusal::Gone)?;
                Ok(tx.insert_transfer(&new).await?)
            })
            .await
    }

    for store in stores().await {
        let cast = Cast::of(&store).await;
        let agents: [Agent; 8] = std::array::from_fn(|n| agent(&cast.alice, &format!("a{n}")));
        let new = agents.clone();
        write(&store, async move |tx| {
            for it in &new {
                tx.insert_agent(it).await?;
            }
            Ok(())
        })
        .await;
        for gone in agents {
            let to = gone.clone();
            let sent = race(12, |_| send(store.clone(), transfer(&cast.ben, &to)));
            let deleting = store.write(async move |tx| tx.delete_agent(&gone).await);
            let (sent, deleted) = tokio::join!(sent, deleting);
            let kept = sent.iter().filter(|it| it.is_ok()).count();
            for it in &sent {
                assert!(matches!(it, Ok(()) | Err(Refusal::Gone)), "{it:?}");
            }
            assert_eq!(deleted.unwrap().len(), kept, "{store:?}: each is answered");
            let left = agents_of_transfers(&store).await;
            assert!(left.is_empty(), "{store:?}");
        }
    }
}

/// Who keeps an agent is not in the way of who keeps it too, nor of a note that it was heard of.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_keep_one_agent() {
    let store = store(Engine::Postgres).await;
    let cast = Cast::of(&store).await;
    let (owner, id, named) = (cast.alice.id, cast.ann.id, AgentRef::Id(cast.ann.id));
    let (others, again) = (store.clone(), named.clone());
    let kept = store.write(async move |tx| {
        let kept = tx.keep_agent_of(owner, &named).await?;
        let beside = others.write(async move |tx| {
            tx.keep_agent_of(owner, &again).await?;
            tx.touch_key(Some(key_id()), Some(id), at(1)).await
        });
        let beside = timeout(Duration::from_secs(4), beside).await;
        beside.expect("they do not wait")?;
        let holding = others.write(async move |tx| tx.hold_agent_of(owner, id).await);
        let held = timeout(Duration::from_millis(100), holding).await;
        assert!(held.is_err(), "who changes it waits");
        Ok::<_, Error>(kept)
    });
    let kept: Option<AgentId> = kept.await.unwrap().map(|it| it.id);
    assert_eq!(kept, Some(id));
}
