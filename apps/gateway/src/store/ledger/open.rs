//! Opens the file: looks at it before touching it, keeps a copy before changing its schema.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, SqlitePool};

use super::LedgerError;
use crate::store::durable;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// The writing connection and the pool that reads.
pub(super) async fn open(
    path: &Path,
    migrations: &Migrator,
) -> Result<(SqliteConnection, SqlitePool), LedgerError> {
    if exists(path)? {
        inspect(path, migrations).await?;
    } else {
        create(path, migrations).await?;
    }
    let mut writing = options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .connect()
        .await?;
    migrate(migrations, &mut writing).await?;
    let reads = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(BUSY)
        .connect_with(options(path).read_only(true))
        .await?;
    Ok((writing, reads))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY).disable_statement_logging()
}

async fn migrate(migrations: &Migrator, connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    migrations.run_direct(connection).await.map_err(|error| LedgerError::Migration(Arc::new(error)))
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> LedgerError {
    move |source| LedgerError::File { path: path.to_owned(), source: Arc::new(source) }
}

fn damaged(path: &Path, reason: &(impl ToString + ?Sized)) -> LedgerError {
    LedgerError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}

fn exists(path: &Path) -> Result<bool, LedgerError> {
    if path.try_exists().map_err(file_error(path))? {
        return Ok(true);
    }
    match std::fs::metadata(durable::beside(path, "-wal")) {
        Ok(wal) if wal.len() > 0 => Err(damaged(path, "it is missing although its `-wal` is there")),
        _ => Ok(false),
    }
}

/// Makes the file under another name and renames it when it is whole: an empty or half-made ledger is never found.
async fn create(path: &Path, migrations: &Migrator) -> Result<(), LedgerError> {
    let new = durable::beside(path, ".new");
    for ending in ["", "-journal", "-wal", "-shm"] {
        durable::remove_if_there(&durable::beside(&new, ending)).map_err(file_error(&new))?;
    }
    let mut connection = options(&new)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    migrate(migrations, &mut connection).await?;
    connection.close().await?;
    restrict(&new).and_then(|()| durable::rename(&new, path)).map_err(file_error(path))
}

/// Its owner alone may read it: it holds what people said.
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// Looks, through a connection that cannot write, whether the file is sound and of a schema we know; keeps a copy
/// when a migration is due.
async fn inspect(path: &Path, migrations: &Migrator) -> Result<(), LedgerError> {
    check_header(path)?;
    let mut connection = options(path).read_only(true).connect().await.map_err(|e| damaged(path, &e))?;
    let due = check(path, &mut connection, migrations).await;
    let done = match due {
        Ok(Some(version)) => keep_copy(path, &mut connection, version).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    connection.close().await?;
    done
}

fn check_header(path: &Path) -> Result<(), LedgerError> {
    use std::io::Read;
    let mut head = [0; MAGIC.len()];
    let mut file = std::fs::File::open(path).map_err(file_error(path))?;
    match file.read_exact(&mut head) {
        Ok(()) if head == *MAGIC => Ok(()),
        Ok(()) => Err(damaged(path, "it does not begin as an SQLite file")),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(damaged(path, "it is cut off within its first bytes"))
        }
        Err(error) => Err(file_error(path)(error)),
    }
}

/// The present schema version, where a migration is due.
async fn check(
    path: &Path,
    connection: &mut SqliteConnection,
    migrations: &Migrator,
) -> Result<Option<i64>, LedgerError> {
    let sound = |error: sqlx::Error| damaged(path, &error);
    let complaints: Vec<String> =
        sqlx::query_scalar("PRAGMA quick_check(3)").fetch_all(&mut *connection).await.map_err(sound)?;
    if complaints != ["ok"] {
        return Err(damaged(path, &complaints.join("; ")));
    }
    let applied = sqlx::query("SELECT max(version) AS newest, count(*) AS number FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(sound)?;
    let found: i64 = applied.try_get::<Option<i64>, _>("newest").map_err(sound)?.unwrap_or(0);
    let known = migrations.iter().map(|m| m.version).max().unwrap_or(0);
    if found > known {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known });
    }
    Ok((found < known).then_some(found))
}

async fn keep_copy(path: &Path, connection: &mut SqliteConnection, version: i64) -> Result<(), LedgerError> {
    let copy = durable::beside(path, &format!(".v{version}.bak"));
    let making = durable::beside(&copy, ".tmp");
    durable::remove_if_there(&making).map_err(file_error(&making))?;
    let Some(name) = making.to_str() else {
        return Err(file_error(path)(std::io::Error::other("its path is not UTF-8")));
    };
    sqlx::query("VACUUM INTO $1").bind(name).execute(connection).await?;
    restrict(&making)
        .and_then(|()| std::fs::File::open(&making)?.sync_all())
        .and_then(|()| durable::rename(&making, &copy))
        .map_err(file_error(&copy))?;
    tracing::info!(copy = %copy.display(), version, "kept a copy of the ledger before its schema changes");
    Ok(())
}
