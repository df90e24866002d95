//! A server whose database another one brings up to date.

use std::time::Duration;

use agentdrop_domain::Scope;
use agentdrop_domain::downloads::{Download, Outcome};
use agentdrop_domain::mailed_links::LinkPurpose;
use agentdrop_domain::pairings::Permission;
use agentdrop_domain::people::Standing;
use agentdrop_domain::uploads::Part;
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::wire::connections::ConnectionFilter;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::wire::transfers::DeliveryStatus;
use agentdrop_protocol::{AgentRef, PartTag};
use agentdrop_store::{Allowance, Page, Repeatable, Store};
use agentdrop_testkit::engines::stores;

use crate::bundles::{bundle, prekey, published, signed};
use crate::things::{
    Cast, account, account_id, agent, agent_keys, at, block, channel, connection, connection_token,
    digest, download, everything, file_id, invitation, key, mail, mailed_link, open_invitation,
    pairing, receive_password, run_sql, session, texts, transfer, transfer_id, transfer_to_person,
    write, write_connections,
};

/// While servers are replaced one by one, the old ones go on beside a schema that has got new
/// columns. PostgreSQL refuses a `SELECT *` that it prepared before: "cached plan must not change
/// result type".
#[tokio::test]
async fn a_new_column_is_in_nobodys_way() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        run_every_statement(&store, &cast).await;
        let tables = match store.database().folder() {
            Some(_) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
            None => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
        };
        let tables = texts(store.database(), tables).await;
        let ours = tables.iter().filter(|it| *it != "refinery_schema_history");
        let alter = |table| format!("ALTER TABLE {table} ADD COLUMN new_column TEXT;");
        let alter: Vec<String> = ours.map(alter).collect();
        assert_eq!(alter.len(), 30, "{tables:?}");
        run_sql(store.database(), &alter.concat()).await;
        run_every_statement(&store, &cast).await;
    }
}

/// Runs each statement that answers rows, and those that make there be some, on one connection
/// of PostgreSQL's: the pool makes a second only for two at a time.
pub(crate) async fn run_every_statement(store: &Store, cast: &Cast) {
    run_those_of_agents(store, cast).await;
    run_those_of_keys_and_channels(store, cast).await;
    run_those_of_transfers(store, cast).await;
    run_those_of_connections(store, cast).await;
    run_those_of_pairings(store, cast).await;
    crate::audit::run_those_of_audit(store, cast).await;
    run_those_of_people(store, cast).await;
}

async fn run_those_of_people(store: &Store, cast: &Cast) {
    let (alice, passing) = (cast.alice.clone(), account(&format!("x{}", account_id())));
    let owner = alice.id;
    let sent = transfer(&cast.ann, &cast.ben);
    let (ann, bob) = (cast.ann.clone(), cast.bob.clone());
    write(store, async move |tx| {
        tx.insert_account(&passing).await?;
        assert_eq!(tx.delete_account(passing.id).await?, []);
        tx.insert_transfer(&sent).await?;
        let it = tx.account_to_sign_in(&alice.email).await?;
        assert!(it.is_some());
        tx.update_account(&alice).await?;
        let settings = tx.account_settings(owner).await?.unwrap();
        tx.update_account_settings(owner, &settings).await?;
        assert!(!tx.is_encryption_required(owner, owner).await?);
        assert_eq!(tx.verify_email(owner, at(0)).await?, 0);
        let session = session(&alice);
        tx.insert_session(&session, 9).await?;
        tx.touch_session(session.id, at(1)).await?;
        assert!(tx.session_by_digest(&session.digest).await?.is_some());
        assert!(tx.session_of(owner, session.id).await?.is_some());
        assert_eq!(tx.sessions_of(owner, at(0)).await?.len(), 1);
        assert!(tx.take_session_of(owner, session.id).await?.is_some());
        tx.delete_sessions_of(owner, None).await?;
        tx.delete_expired_sessions(at(0)).await?;
        for _ in 0..2 {
            let allowed = Allowance {
                most: 1,
                period: Duration::from_secs(1),
            };
            tx.count_attempt(&[1; 32], allowed, at(0)).await?;
        }
        tx.delete_attempts_until(at(10_000)).await?;
        let link = mailed_link(&alice, LinkPurpose::VerifyEmail);
        tx.put_mailed_link(&link).await?;
        assert!(tx.mailed_link(&link.digest).await?.is_some());
        assert!(tx.take_mailed_link(&link.digest).await?.is_some());
        tx.delete_mailed_link_of(owner, link.purpose).await?;
        tx.delete_expired_mailed_links(at(0)).await?;
        let password = receive_password(&alice);
        tx.put_receive_password(&password).await?;
        assert!(tx.receive_password_of(owner).await?.is_some());
        assert!(tx.receive_key_for(&alice.email).await?.is_some());
        assert_eq!(tx.delete_receive_password_of(owner).await?, 1);
        tx.insert_stranger(owner, transfer_id(), Standing::Stranger, at(0))
            .await?;
        assert_eq!(tx.strangers_of(owner, at(-1)).await?.len(), 1);
        assert_eq!(tx.delete_strangers_before(at(0)).await?, 1);
        let mail = mail(&alice);
        tx.enqueue_mail(&mail).await?;
        assert!(tx.next_mail_due().await?.is_some());
        assert_eq!(tx.claim_mails(at(0), at(9), 1).await?.len(), 1);
        tx.put_mail_off(mail.id, at(5)).await?;
        assert_eq!(tx.mail_count().await?, 1);
        assert_eq!(tx.delete_mail(mail.id).await?, 1);
        assert!(!tx.connections_to_export(owner, None, 9).await?.is_empty());
        assert!(!tx.pairings_to_export(owner, None, 9).await?.is_empty());
        assert!(
            !tx.sent_transfers_to_export(owner, None, 9)
                .await?
                .is_empty()
        );
        let to_bob = transfer_to_person(&ann, bob.email.as_str());
        let (id, link) = (to_bob.id, digest());
        tx.insert_transfer(&to_bob).await?;
        tx.insert_transfer_link(&link, id, at(0)).await?;
        assert!(tx.linked_transfer(&link).await?.is_some());
        assert!(tx.hold_linked_transfer(&link).await?.is_some());
        assert_eq!(tx.delete_transfer_links_of(id).await?, 1);
        let received = tx.received_transfers_to_export(owner, None, 9).await?;
        assert_eq!(received, []);
        Ok(())
    })
    .await;
}

async fn run_those_of_agents(store: &Store, cast: &Cast) {
    let (alice, ann) = (cast.alice.id, cast.ann.id);
    let (extra, token) = (agent(&cast.alice, "extra"), connection_token(&cast.ann));
    let names = [AgentRef::Id(ann), AgentRef::Slug(cast.ann.slug.clone())];
    let named = names.clone();
    write(store, async move |tx| {
        tx.insert_agent(&extra).await?;
        assert_eq!(tx.agent_count_of(alice).await?, 2);
        tx.delete_agent(&extra).await?;
        tx.insert_connection_token(&token).await?;
        tx.delete_expired_connection_tokens(at(0)).await?;
        let owner = tx.account_of_connection_token(&token.digest).await?;
        assert_eq!(owner, Some(alice));
        let request = Repeatable {
            digest: token.digest,
            body_digest: token.digest,
        };
        assert_eq!(tx.delete_answers_until(at(0)).await?, 0);
        let (since, now) = (at(0), at(1));
        let claimed = tx.claim_answer(alice, &request, since, now).await?;
        assert_eq!(claimed, None);
        tx.update_answer(&request, 200, b"done").await?;
        let again = tx.claim_answer(alice, &request, since, now).await?;
        assert_eq!(again, tx.answer_of(&request, since).await?);
        assert!(tx.is_answered(&request.digest, since).await?);
        assert!(tx.take_connection_token(&token.digest).await?.is_some());
        for named in &named {
            assert!(tx.keep_agent_of(alice, named).await?.is_some());
        }
        assert!(tx.hold_agent_of(alice, ann).await?.is_some());
        let held = tx.hold_agent_of_token(&token).await?.unwrap();
        let connected = held.connect(agent_keys(9, None));
        tx.update_agent(&connected).await?;
        tx.update_agent_keys(&connected, at(1)).await?;
        let bundle = bundle(ann, 1);
        tx.put_bundle(&published(connected, &bundle), &bundle)
            .await?;
        // It runs twice on one store.
        let ran = u8::try_from(tx.rotations_of_agent(ann).await?.len()).unwrap();
        tx.insert_rotation(ann, u64::from(ran) + 2, &signed(1))
            .await?;
        for id in 2 * ran..2 * ran + 2 {
            assert!(tx.insert_prekey(ann, &prekey(id, at(9)), at(1)).await?);
        }
        assert_eq!(tx.delete_prekeys_until(at(2)).await?, 0);
        assert!(tx.take_prekey(ann, at(2)).await?.is_some());
        assert_eq!(tx.prekeys_left(ann, at(2)).await?, 1);
        let last = tx.rotations_of_agent(ann).await?.pop();
        assert_eq!(last, Some(signed(1)));
        Ok(())
    })
    .await;

    let mut reader = store.read().await.unwrap();
    assert!(reader.account(alice).await.unwrap().is_some());
    assert_eq!(reader.accounts().await.unwrap().len(), 3);
    for named in names {
        assert!(reader.agent_of(alice, &named).await.unwrap().is_some());
    }
    assert_eq!(reader.agents_of(alice).await.unwrap().len(), 1);
    let versions = reader.key_versions_of(alice, ann).await.unwrap();
    assert!(!versions.is_empty());
    drop(reader);
}

async fn run_those_of_keys_and_channels(store: &Store, cast: &Cast) {
    let (alice, bob, ann) = (cast.alice.id, cast.bob.id, cast.ann.id);
    let key = key(alice, Scope::Agent(ann));
    let (digest, made) = (key.digest, channel(&cast.ann, &cast.ben));
    let made = write(store, async move |tx| {
        tx.insert_key(&key).await?;
        assert!(tx.hold_key_of(alice, key.id).await?.is_some());
        tx.update_key(&key).await?;
        tx.touch_key(Some(key.id), Some(ann), at(1)).await?;
        tx.count_transfer(key.id).await?;
        tx.revoke_keys_of(bob, at(1)).await?;
        assert_eq!(tx.account_key_count_of(alice).await?, 0);
        tx.revoke_channels_of_agent(ann, at(1)).await?;
        let made = tx.insert_or_find_channel(&made).await?;
        assert!(tx.hold_channel_of(bob, made.id).await?.is_some());
        tx.update_channel(&made).await?;
        Ok(made)
    })
    .await;

    let mut reader = store.read().await.unwrap();
    assert!(reader.key_by_digest(&digest).await.unwrap().is_some());
    assert!(!reader.keys_of(alice).await.unwrap().is_empty());
    let keys = reader.keys_of_agent(alice, ann).await.unwrap();
    assert!(!keys.is_empty());
    assert!(!reader.channels_of(bob).await.unwrap().is_empty());
    let found = reader.channel_of(bob, made.id).await.unwrap();
    assert_eq!(found, Some(made));
}

async fn run_those_of_transfers(store: &Store, cast: &Cast) {
    let (alice, bob) = (cast.alice.id, cast.bob.id);
    let sent = transfer(&cast.ann, &cast.ben);
    let grant = download(&sent);
    let (sent_id, grant_id) = (sent.id, grant.id);
    write(store, async move |tx| {
        tx.insert_transfer(&sent).await?;
        let cycle = Cycle::at(at(0), at(1));
        tx.count_transfer_of(alice, cycle).await?;
        assert!(tx.transfers_counted_of(alice, cycle).await? > 0);
        assert!(tx.stored_bytes_of(alice, at(1)).await? > 0);
        assert!(tx.hold_transfer_of(bob, sent_id).await?.is_some());
        assert!(!tx.hold_transfers_to_sweep(at(1000), 9).await?.is_empty());
        tx.update_transfer(&sent).await?;
        tx.update_transfer_contents(&sent).await?;
        assert_eq!(tx.transfers_to_activate(at(0), None, 9).await?, []);
        assert!(!tx.transfers_with_bytes(None, 9).await?.is_empty());
        let part = Part {
            number: 1,
            tag: PartTag::new([7; 16]),
            bytes: 7,
        };
        let file = file_id();
        assert!(tx.announced_transfer(sent_id).await?.is_some());
        assert!(tx.hold_announced_transfer(sent_id).await?.is_some());
        assert_eq!(tx.put_part(sent_id, file, &part).await?, None);
        assert_eq!(tx.put_part(sent_id, file, &part).await?, Some(part.tag));
        assert_eq!(tx.parts(sent_id, file, 1, 9).await?, [part]);
        assert_eq!(tx.begun_files(sent_id).await?, [file]);
        assert!(tx.needs_part(sent_id, part.tag).await?);
        tx.delete_parts(sent_id).await?;
        tx.insert_small_bodies(sent_id, &[(0, vec![1])]).await?;
        assert_eq!(tx.small_body(sent_id, 0).await?, Some(vec![1]));
        assert!(!tx.needs_small_body(sent_id, 0).await?);
        tx.delete_small_bodies(sent_id).await?;
        tx.uncount_transfer_of(alice, cycle).await?;
        tx.insert_download(&grant).await?;
        let held = tx.hold_download_of(bob, sent_id, grant_id).await?.unwrap();
        let outcome = Outcome {
            status: DeliveryStatus::Received,
            reason: None,
            at: at(1),
            receipt: None,
        };
        let ended = Download {
            outcome: Some(outcome),
            ..held
        };
        tx.update_download(&ended).await?;
        assert_eq!(tx.insert_streamed_file(grant_id, file_id()).await?, 1);
        Ok(())
    })
    .await;

    let (filter, page) = (
        everything(),
        Page {
            limit: 9,
            offset: 0,
            behind: None,
        },
    );
    let mut reader = store.read().await.unwrap();
    assert!(reader.transfer_of(bob, sent_id).await.unwrap().is_some());
    let sent = reader.sent_transfers_of(alice, &filter, page).await;
    let received = reader.received_transfers_of(bob, &filter, page).await;
    assert_eq!(sent.unwrap(), received.unwrap());
    let sent = reader.sent_transfer_count_of(alice, &filter).await;
    let received = reader.received_transfer_count_of(bob, &filter).await;
    assert_eq!(sent.unwrap(), received.unwrap());
    assert!(reader.needs_blob(sent_id, 0).await.unwrap());
    assert!(reader.download(grant_id).await.unwrap().is_some());
    let ended = reader.ended_downloads_of(alice, sent_id).await.unwrap();
    assert_eq!(ended.len(), 1);
}

async fn run_those_of_connections(store: &Store, cast: &Cast) {
    let (alice, bob) = (cast.alice.clone(), cast.bob.clone());
    let (invited, turned_down) = (
        invitation(&alice, &bob),
        open_invitation(&alice, "new@example.org"),
    );
    let (id, email, note) = (
        invited.id,
        turned_down.email.clone(),
        block(&alice, &cast.mallory),
    );
    let (one, other) = (alice.id, bob.id);
    write(store, async move |tx| {
        assert_eq!(tx.hold_accounts(one, other).await?.len(), 2);
        assert!(tx.account_by_email(&bob.email).await?.is_some());
        let changed = tx.set_account_plan(&bob.email, Plan::Enterprise).await?;
        assert_eq!(changed.as_ref(), Some(&bob));
        tx.insert_connection(&invited).await?;
        tx.insert_connection(&turned_down).await?;
        assert!(tx.invitation_of(one, &email).await?.is_some());
        tx.delete_connection(&turned_down).await?;
        let held = tx.hold_connection_of(other, id).await?.unwrap();
        let active = held.accept(&bob, at(1)).unwrap();
        tx.update_connection(&active).await?;
        assert!(tx.keep_active_connection(one, other).await?.is_some());
        assert!(tx.invites_of(one, at(-1)).await?.len() >= 2);
        assert!(tx.delete_invites_before(at(0)).await? >= 2);
        tx.insert_or_find_block(&note).await?;
        assert_eq!(tx.blocks_of(one).await?.len(), 1);
        assert!(tx.take_block_of(one, note.id).await?.is_some());
        let over = active.revoke(&alice, at(2)).unwrap();
        tx.update_connection(&over).await
    })
    .await;
    let mut reader = store.read().await.unwrap();
    assert!(reader.connection_of(one, id).await.unwrap().is_some());
}

async fn run_those_of_pairings(store: &Store, cast: &Cast) {
    let under = connection(&cast.alice, &cast.bob);
    let made = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
    let (alice, bob, ann, ben) = (cast.alice.id, cast.bob.id, cast.ann.id, cast.ben.id);
    let slug = cast.ben.slug.clone();
    let (mut available, other) = (agent(&cast.bob, "bea"), under.id);
    available = available.connect(agent_keys(9, None));
    write_connections(store, &[&under]).await;
    write(store, async move |tx| {
        tx.insert_agent(&available).await?;
        tx.insert_pairing(&made).await?;
        assert!(tx.pairing_of(bob, made.id).await?.is_some());
        assert!(tx.hold_pairing_of(bob, made.id).await?.is_some());
        tx.update_pairing(&made).await?;
        assert_eq!(tx.pairings_of(alice, other).await?.len(), 1);
        assert_eq!(tx.pairing_count_of(alice, other).await?, 1);
        assert!(tx.active_pairing(ann, ben).await?.is_some());
        assert!(tx.keep_active_pairing(ben, ann).await?.is_some());
        assert_eq!(tx.keep_active_pairings_with(alice, ben).await?.len(), 1);
        assert_eq!(tx.hold_live_transfers_of_persons(alice, ben).await?, []);
        assert!(tx.connection_between(alice, bob).await?.is_some());
        assert_eq!(tx.connection_counts_of(alice).await?.active, 1);
        let listed = tx.connections_of(alice, ConnectionFilter::All).await?;
        assert_eq!(listed.len(), 1);
        assert_eq!(tx.reachable_agents_of(alice, None, &slug).await?.len(), 1);
        assert!(tx.reachable_agent_of(alice, None, ben).await?.is_some());
        assert_eq!(tx.paired_agents_of(alice, Some(ann)).await?.len(), 1);
        assert_eq!(tx.sendable_agents_of(bob, None).await?.len(), 1);
        assert_eq!(tx.available_agents_of(alice, other).await?.len(), 1);
        assert_eq!(tx.agents_of_pairings_of(alice, other).await?.len(), 2);
        let live = tx.hold_live_transfers_between_accounts(alice, bob).await?;
        assert!(!live.is_empty());
        let people = tx.hold_live_transfers_between_people(alice, bob).await?;
        assert!(people.iter().all(|it| it.recipient.agent().is_none()));
        let live = tx.hold_live_transfers_between_agents(ben, ann).await?;
        assert!(!live.is_empty());
        assert_eq!(
            tx.revoke_pairings_of_connection(other, at(4)).await?.len(),
            1
        );
        assert_eq!(tx.revoke_pairings_of_agent(ann, at(4)).await?, []);
        tx.revoke_channels_between_accounts(alice, bob, at(4))
            .await?;
        tx.revoke_channels_between_agents(ann, ben, at(4)).await?;
        let over = agentdrop_domain::connections::Connection {
            revoked_at: Some(at(4)),
            ..under
        };
        tx.update_connection(&over).await?;
        tx.delete_agent(&available).await?;
        Ok(())
    })
    .await;
}
