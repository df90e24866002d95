use agentdrop_domain::pairings::Permission;
use agentdrop_testkit::engines::stores;

use crate::things::{
    Cast, at, connection, open_invitation, pairing, transfer, write_connections, write_pairings,
    write_transfers,
};

#[tokio::test]
async fn all_that_is_an_accounts_is_read_page_by_page_and_nothing_of_others() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut over = connection(&cast.alice, &cast.bob);
        over.revoked_at = Some(at(9));
        let under = connection(&cast.bob, &cast.alice);
        let open = open_invitation(&cast.alice, "new@example.org");
        // To the address of one, whose it is not until they take it up.
        let theirs = open_invitation(&cast.mallory, "alice@example.org");
        write_connections(&store, &[&over, &under, &open, &theirs]).await;
        let made = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&made]).await;
        let sent = [(); 3].map(|()| transfer(&cast.ann, &cast.ben));
        let received = transfer(&cast.ben, &cast.ann);
        let others = transfer(&cast.ben, &cast.imp);
        let all: Vec<_> = sent.iter().chain([&received, &others]).collect();
        write_transfers(&store, &all).await;

        let (alice, mut reader) = (cast.alice.id, store.read().await.unwrap());
        let first = reader.connections_to_export(alice, None, 2).await.unwrap();
        assert_eq!(first, [over, under], "{store:?}");
        let after = Some(first[1].id);
        let rest = reader.connections_to_export(alice, after, 2).await.unwrap();
        assert_eq!(rest, [open], "{store:?}");
        let found = reader.pairings_to_export(alice, None, 9).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&made), "{store:?}");
        let found = reader.pairings_to_export(alice, Some(made.id), 9).await;
        assert_eq!(found.unwrap(), [], "{store:?}");
        let after = Some(sent[0].id);
        let found = reader.sent_transfers_to_export(alice, after, 9).await;
        assert_eq!(found.unwrap(), sent[1..], "{store:?}");
        let found = reader.sent_transfers_to_export(alice, None, 1).await;
        assert_eq!(found.unwrap(), sent[..1], "{store:?}");
        let found = reader.received_transfers_to_export(alice, None, 9).await;
        assert_eq!(found.unwrap(), std::slice::from_ref(&received), "{store:?}");
        let found = reader.received_transfers_to_export(alice, Some(received.id), 9);
        assert_eq!(found.await.unwrap(), [], "{store:?}");
        let found = reader.pairings_to_export(cast.mallory.id, None, 9).await;
        assert_eq!(found.unwrap(), [], "{store:?}");
    }
}
