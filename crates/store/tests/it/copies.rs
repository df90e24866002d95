//! All of a database in another one.

use agentdrop_store::Error;
use agentdrop_testkit::engines::{Database, Engine, store, stores};

use crate::note;
use crate::things::{Cast, agent, begin, download, run_sql, texts, transfer, write};
use crate::upgrades::run_every_statement;

/// Every row of every table, as text.
async fn dump(database: &Database) -> Vec<String> {
    let tables = match database.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table'",
        Engine::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
    };
    let mut dumped = Vec::new();
    for table in texts(database, tables).await {
        if table == "refinery_schema_history" {
            continue;
        }
        let rows = match database.engine() {
            Engine::Sqlite => {
                let quoted = format!(
                    "SELECT group_concat('quote(' || name || ')', '||'',''||')
                     FROM pragma_table_info('{table}')"
                );
                let quoted = texts(database, &quoted).await.concat();
                format!("SELECT {quoted} FROM {table} ORDER BY 1")
            }
            Engine::Postgres => format!("SELECT {table}::text FROM {table} ORDER BY 1"),
        };
        for row in texts(database, &rows).await {
            dumped.push(format!("{table}: {row}"));
        }
    }
    dumped.sort();
    dumped
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_the_other_engine_and_back_is_what_it_was() {
    for from in stores().await {
        let cast = Cast::of(&from).await;
        run_every_statement(&from, &cast).await;
        note(&from, ["a fact"]).await.unwrap();
        // More than fit into a page, and rows of what the statements left empty.
        let sent: Vec<_> = (0..450).map(|_| transfer(&cast.ann, &cast.ben)).collect();
        let taken = download(&sent[0]);
        write(&from, async move |tx| {
            for it in &sent {
                tx.insert_transfer(it).await?;
            }
            tx.insert_download(&taken).await
        })
        .await;
        let whole = dump(from.database()).await;
        let tables: std::collections::BTreeSet<_> = whole
            .iter()
            .filter_map(|it| it.split_once(':'))
            .map(|it| it.0)
            .collect();
        assert!(tables.len() >= 16, "{tables:?}");

        let other = match from.database().engine() {
            Engine::Sqlite => Engine::Postgres,
            Engine::Postgres => Engine::Sqlite,
        };
        let (there, back) = (store(other).await, store(from.database().engine()).await);
        let copied = from.copy_into(&there).await.unwrap();
        assert_eq!(copied, whole.len() as u64, "{from:?}");
        assert_eq!(there.copy_into(&back).await.unwrap(), copied, "{from:?}");
        let came = dump(back.database()).await;
        assert_eq!(came, whole, "{from:?}");

        // It works, and its rules hold.
        let new = agent(&cast.alice, "another");
        write(&there, async move |tx| tx.insert_agent(&new).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_empty_stays_as_it_is() {
    for from in stores().await {
        Cast::of(&from).await;
        for engine in Engine::ALL {
            let target = store(engine).await;
            note(&target, ["a fact"]).await.unwrap();
            let refused = from.copy_into(&target).await;
            assert!(matches!(refused, Err(Error::NotEmpty)), "{refused:?}");
            assert_eq!(dump(target.database()).await.len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_wrote_is_refused_and_not_made_into_something_else() {
    for foreign in ["CAST(x'ff' AS TEXT)", "1.5"] {
        let from = store(Engine::Sqlite).await;
        let insert = format!("INSERT INTO instance (name, value) VALUES ('a fact', {foreign})");
        run_sql(from.database(), &insert).await;
        for engine in Engine::ALL {
            let target = store(engine).await;
            from.copy_into(&target).await.unwrap_err();
            assert_eq!(dump(target.database()).await, [""; 0], "{foreign}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_of_one_moment_and_one_that_fails_leaves_nothing() {
    for from in stores().await {
        let cast = Cast::of(&from).await;
        let target = store(Engine::Sqlite).await;
        // Somebody who writes meanwhile, and is not waited for.
        let late = agent(&cast.alice, "late");
        let holding = begin(&from, move |tx| {
            Box::pin(async move { tx.insert_agent(&late).await })
        })
        .await;
        let copied = from.copy_into(&target).await.unwrap();
        holding.await.unwrap().unwrap();
        assert_eq!(copied, dump(target.database()).await.len() as u64);
        assert!(!dump(target.database()).await.concat().contains("late"));

        // What the target does not take ends it all.
        let strict = store(Engine::Sqlite).await;
        run_sql(
            strict.database(),
            "CREATE TRIGGER refuses BEFORE INSERT ON agents BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await;
        from.copy_into(&strict).await.unwrap_err();
        assert_eq!(dump(strict.database()).await, [""; 0]);
    }
}
