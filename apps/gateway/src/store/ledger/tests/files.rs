//! The file: new, damaged, older, newer.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::*;

async fn refused(path: &Path) -> String {
    match Ledger::open(path, answer).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_damaged_ledger_stops_the_start_and_stays_as_it_is() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in 0..100 {
        ledger.submit(new(number)).await.unwrap();
    }
    ledger.close().await;
    let sound = std::fs::read(desk.path()).unwrap();
    let mut garbled = sound.clone();
    garbled[4096..40_000].fill(0xa5);
    for (damaged, reason) in [
        (Vec::new(), "it is cut off within its first bytes"),
        (sound[..10].to_vec(), "it is cut off within its first bytes"),
        (sound[..sound.len() / 2].to_vec(), "malformed"),
        (vec![b'x'; 5000], "it does not begin as an SQLite file"),
        (garbled, "Tree"),
    ] {
        std::fs::write(desk.path(), &damaged).unwrap();
        let error = refused(&desk.path()).await;
        assert!(error.contains("is damaged and was left untouched") && error.contains(reason), "{error}");
        assert!(error.contains(&desk.path().display().to_string()), "{error}");
        assert_eq!(std::fs::read(desk.path()).unwrap(), damaged);
    }
    std::fs::write(desk.path(), &sound).unwrap();
    desk.open().await;
}

#[tokio::test]
async fn a_ledger_that_left_only_its_log_is_not_made_anew() {
    let desk = Desk::new();
    std::fs::write(desk.dir.path().join("ledger.db-wal"), "something").unwrap();
    let error = refused(&desk.path()).await;
    assert!(error.contains("it is missing although its `-wal` is there"), "{error}");
}

#[tokio::test]
async fn another_program_s_database_is_left_alone() {
    let desk = Desk::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(desk.path()).create_if_missing(true);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("CREATE TABLE x (y)").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let before = std::fs::read(desk.path()).unwrap();
    let error = refused(&desk.path()).await;
    assert!(error.contains("no such table: _sqlx_migrations"), "{error}");
    assert_eq!(std::fs::read(desk.path()).unwrap(), before);
}

#[tokio::test]
async fn a_ledger_that_was_half_made_is_made_again() {
    let desk = Desk::new();
    std::fs::write(desk.dir.path().join("ledger.db.new"), "half").unwrap();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    assert!(!desk.dir.path().join("ledger.db.new").exists());
}

/// The present schema and one step more.
fn next_schema() -> Migrator {
    let mut migrations = open::MIGRATIONS.migrations.to_vec();
    migrations.push(Migration::new(
        99,
        Cow::Borrowed("later"),
        MigrationType::Simple,
        Cow::Borrowed("ALTER TABLE counters ADD COLUMN note TEXT"),
        false,
    ));
    Migrator { migrations: migrations.into(), ..Migrator::DEFAULT }
}

#[tokio::test]
async fn a_migration_keeps_a_copy_and_the_older_version_refuses_what_came_of_it() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    ledger.close().await;

    let (writing, reads) = open::open(&desk.path(), &next_schema()).await.unwrap();
    sqlx::query("SELECT note FROM counters").fetch_all(&reads).await.unwrap();
    reads.close().await;
    sqlx::Connection::close(writing).await.unwrap();

    let migrated = std::fs::read(desk.path()).unwrap();
    let error = refused(&desk.path()).await;
    assert!(error.contains("has schema 99 and this version knows 6 at most"), "{error}");
    assert_eq!(std::fs::read(desk.path()).unwrap(), migrated);

    let copy = desk.dir.path().join("ledger.db.v6.bak");
    let ledger = Ledger::open(&copy, answer).await.unwrap();
    assert_eq!(ledger.open_submissions(&session("s")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_its_owner_may_read_the_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let mode = std::fs::metadata(desk.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_even_with_half_a_commit_behind_it() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in 0..50 {
        ledger.submit(new(number)).await.unwrap();
    }
    // The files as a kill leaves them, and then as one in the middle of the next commit does.
    let killed = Desk::new();
    let log = |desk: &Desk| desk.dir.path().join("ledger.db-wal");
    std::fs::copy(desk.path(), killed.path()).unwrap();
    std::fs::copy(log(&desk), log(&killed)).unwrap();
    let mut torn = std::fs::read(log(&killed)).unwrap();
    let frame = torn[torn.len() - 4120..].to_vec();
    torn.extend_from_slice(&frame[..3000]);
    std::fs::write(log(&killed), torn).unwrap();

    let ledger = killed.open().await;
    assert_eq!(open_of_s(&ledger).await.len(), 50);
    ledger.submit(new(50)).await.unwrap();
    assert_eq!(ledger.next_boot().await.unwrap(), 1);
}
